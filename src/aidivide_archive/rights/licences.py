"""Which statements of a page let anyone pass its text on: a licence of the text itself, named, open, uncontradicted.

A page names many licences: of a photograph, of the theme, of comments. Only those count that speak of the text, and a
doubt counts against it: who leaves a text out does no harm, who passes it on against its author's will does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from aidivide_archive.rights.statements import MAX_STATEMENT_CHARS, Statement

_LICENCES = frozenset(["header:license", "link:license", "json-ld:license", "meta:dcterms.license"])
"""Statements that are a licence of the document, by its address or its name. A link in a picture's credit is
"figure:license" and not among them."""
_RIGHTS_LINES = frozenset(
    ["json-ld:copyrightNotice", "meta:dc.rights", "meta:dcterms.rights", "meta", "json-ld"]
)
"""Lines that the page's metadata states about the document: a licence, an owner, or a reservation. "meta" and
"json-ld" are the rights line that the article's metadata shows."""
_VISIBLE_LINE = "text"
"""A line at the foot of the page, which may speak of anything."""

_OPEN = re.compile(
    r"creativecommons\.org/(?:licenses/by(?:-sa|-nc|-nc-sa)?/|publicdomain/)"
    r"|\bcc[ -]?(?:0\b|by(?:-(?:sa|nc|nc-sa))?\b(?!-nd|-nc-nd))"
    r"|\bpublic domain\b|open government licence|creative commons attribution(?! no-?derivatives)",
    re.IGNORECASE,
)
"""Licences under which anyone may pass the whole text on; those without derivatives are left out, because a clean text
is one. Non-commercial ones are open here."""
_NO_DERIVATIVES = re.compile(
    r"\bnd\b|no-?derivatives|keine bearbeitung|pas de modification|sin ?(?:obra ?)?derivad|sem ?deriva"
    r"|opere derivate|без производных|禁止(?:演绎|演繹|改作)|改変禁止|변경 ?금지",
    re.IGNORECASE,
)
RIGHTS_RESERVED = (
    r"all (?:other )?rights (?:are )?reserved|alle rechte vorbehalten|tous (?:les )?droits (?:sont )?réservés"
    r"|derechos reservados|direitos reservados|diritti (?:sono )?riservati|riproduzione riservata"
    r"|alle rechten voorbehouden|wszelkie prawa zastrzeżone|все права защищены|tüm hakları saklıdır|جميع الحقوق محفوظة"
    r"|版权所有|版權所有|保留所有[权權]利|(?:不得|禁止|谢绝|謝絕)[转轉][载載]|無断(?:転載|複製)|무단 ?전재"
)
"""Words that keep the rights to a work, as an alternation for a regular expression."""
_ALL_RESERVED = re.compile(
    rf"(?<!algunos )(?<!alguns )(?<!alcuni )(?:{RIGHTS_RESERVED})", re.IGNORECASE
)
"""Creative Commons says in Spanish, Portuguese and Italian that only some are."""
_PARTS_OF_A_PAGE = re.compile(
    r"\b(?:photo|picture|image|illustration|graphic|drawing|cartoon|artwork|cover art|video|audio|music|podcast"
    r"|comment|contribution|foto|bild(?!ung)|abbildung|zeichnung|kommentar|dessin|imagen|imágenes|ilustraci|imagem"
    r"|ilustraç|immagin|afbeelding|фото|изображени|иллюстраци)"
    r"|图片|圖片|照片|摄影|攝影|图源|圖源|配图|配圖|插图|插圖|影像|评论|評論|写真|画像|撮影|사진|이미지|댓글|صورة|الصور|تصوير",
    re.IGNORECASE,
)
"""Things beside the text that have licences of their own, in the languages that news pages are read in."""
_FURNITURE = re.compile(
    r"\b(?:theme|template|design|layout|icon|logo|font|map|code|software|data(?:set)?s?\b)",
    re.IGNORECASE,
)
_SPEAKS_OF_THE_TEXT = re.compile(
    r"\b(?:article|stor(?:y|ies)\b|text|content|work|post|page|site|website|blog|publication|report|material|artikel"
    r"|beitr[aä]g|inhalt|werk|seite|œuvre|oeuvre|contenu|artículo|contenido|obra|artigo|conteúdo|articolo|testo"
    r"|contenut|стать|текст|материал)|文章|本文|正文|文字|内容|內容|作品|記事|기사|콘텐츠|저작물",
    re.IGNORECASE,
)
_GRANTS = re.compile(
    r"licen[sc]|lizen[zs]|licencia|licença|licenza|лицензи|\b(?:available|published|released|distributed) under\b"
    r"|许可|許可|授权|授權|ライセンス|라이선스",
    re.IGNORECASE,
)
_NEGATES = re.compile(
    r"\b(?:not|no|never|nicht|keine?|pas)\b|n't\b|不得|不適用|不适用|禁止", re.IGNORECASE
)


def is_open_licence(words: str) -> bool:
    """Whether a licence, by its address or its name, lets anyone pass a clean text on."""
    return _OPEN.search(words) is not None and not _NO_DERIVATIVES.search(words)


def speaks_of_parts(words: str) -> bool:
    """Whether a line speaks of pictures, recordings or comments, so that a licence in it may be theirs."""
    return _PARTS_OF_A_PAGE.search(words) is not None


def licence_of_text(statements: Iterable[Statement]) -> str | None:
    """The licence under which anyone may pass the text on, in the page's words; None when there is none.

    Contradictions: where another statement about the text reserves all rights or forbids derivatives, there is none.
    """
    about_text = [one for one in statements if _speaks_of_text(one)]
    if any(
        _ALL_RESERVED.search(one.value) or _NO_DERIVATIVES.search(one.value) for one in about_text
    ):
        return None
    return next((one.value for one in about_text if _opens(one)), None)


def _speaks_of_text(statement: Statement) -> bool:
    source = statement.source
    return source in _LICENCES or source in _RIGHTS_LINES or source == _VISIBLE_LINE


def _opens(statement: Statement) -> bool:
    """Whether the statement, which is about the text, is an open licence of it."""
    words = statement.value
    is_cut = len(words) >= MAX_STATEMENT_CHARS  # what follows may speak against it
    if is_cut or not is_open_licence(words) or speaks_of_parts(words):
        return False
    if statement.source != _VISIBLE_LINE:
        return True
    return (
        _GRANTS.search(words) is not None
        and _SPEAKS_OF_THE_TEXT.search(words) is not None
        and not _FURNITURE.search(words)
        and not _NEGATES.search(words)
    )
