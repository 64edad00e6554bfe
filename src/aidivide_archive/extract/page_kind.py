"""What a page is: an article, or one of the things that only look like one. Pure judgement.

The rules ask two questions: is there little text, and does the page say what stands in its place?
A long text is an article whatever else the page holds, so that reports about cookies, captchas or
paywalls stay. Phrases cover the languages of the outlets an archive meets first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement

from aidivide_archive.decode.blocks import Block
from aidivide_archive.model import PageKind
from aidivide_archive.words import units

SHORT_UNITS = 150
"""Below this many words (`words.units`) a text may be a notice."""
STUB_UNITS = 45
"""Below this many words a text beside a paywall notice is only its teaser."""
EMPTY_UNITS = 8
_HUB_LINKS = 25
_GALLERY_PICTURES = 5
_VISIBLE_CHARS = 6000


_CAPTCHA = re.compile(
    r"captcha|verify (?:that )?you(?:'re| are) (?:a )?human|are you (?:a )?(?:human|robot)"
    r"|not a robot|unusual traffic|checking your browser|just a moment|attention required"
    r"|access (?:to this page )?(?:has been )?denied|bot (?:detection|protection)|security check"
    r"|(?:安全|滑动|人机)验证|验证码|驗證碼|不是机器人|访问过于频繁|êtes (?:pas )?un robot"
    r"|vérifi(?:er|ez|ons) que vous êtes|contrôle de sécurité|no eres un robot|eres humano"
    r"|comprobación de seguridad|não é um robô|verificação de segurança|kein roboter"
    r"|не робот|проверка безопасности|подозрительн\w+ (?:запрос|активност|трафик)"
    r"|لست روبوت|التحقق (?:من الأمان|الأمني)|أنك إنسان",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"cookies?\b|consent|your privacy|privacy (?:settings|preferences|choices|policy)|our partners"
    r"|accept all|reject all|manage (?:options|preferences)|legitimate interest"
    r"|votre vie privée|nos partenaires|tout accepter|tout refuser|consentement|param[ée]trer"
    r"|su privacidad|tu privacidad|nuestros socios|aceptar todo|rechazar todo|consentimiento"
    r"|sua privacidade|nossos parceiros|aceitar tudo|ihre privatsphäre|unsere partner"
    r"|alle akzeptieren|einwilligung|zustimm\w+|隐私(?:设置|政策|权)?|接受(?:全部|所有)|全部接受|同意并继续"
    r"|拒绝(?:全部|所有)|合作伙伴|файлы? cookie|файл\w* куки|конфиденциальност\w+|наши партнёры"
    r"|принять вс[её]|согласи\w+|отклонить|ملفات تعريف الارتباط|الكوكيز|خصوصيتك|شركاؤنا|قبول الكل"
    r"|رفض الكل|موافقت\w+|الموافقة",
    re.IGNORECASE,
)
_PAYWALL = re.compile(
    r"subscri(?:be|ption|bers?)\b.{0,60}(?:continue|read|access|unlock|only|exclusive|article)"
    r"|(?:continue|keep) reading.{0,40}(?:subscri|account|free)|(?:exclusive|available|only)\W.{0,20}"
    r"subscribers|for subscribers|already a subscriber|log ?in to (?:continue|read)|premium article"
    r"|unlock (?:this|the full) (?:article|story)|(?:réservé|exclusi\w+).{0,20}abonnés"
    r"|abonnez-vous pour|déjà abonné|poursuivre (?:la|votre) lecture|solo para suscriptores"
    r"|suscr[íi]bete para|exclusiv\w+ para (?:suscriptores|assinantes)|ya eres suscriptor"
    r"|assine para|já é assinante|nur für abonnenten|jetzt abonnieren und|weiterlesen mit"
    r"|(?:仅限|成为|登录|开通).{0,10}(?:订阅|会员|付费)|(?:订阅|付费|登录)后.{0,6}(?:阅读|查看|可读)"
    r"|阅读全文.{0,12}(?:订阅|会员)|この記事は会員限定|только для подписчиков|доступ\w* (?:только )?по подписке"
    r"|оформите подписку|уже подписаны|للمشتركين فقط|اشترك (?:الآن )?(?:لمتابعة|للقراءة|لقراءة)"
    r"|هل أنت مشترك",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"(?:error|fehler|erreur|错误|ошибка|خطأ)\W*404|\b404\b|(?:page|article|story|content)\b.{0,30}(?:not (?:be )?found"
    r"|no longer (?:available|exists?)|does(?:n't| not) exist|was (?:removed|deleted))|not found$|^not found"
    r"|page (?:introuvable|non trouvée)|n'existe (?:pas|plus)|plus disponible|página no (?:encontrada|existe)"
    r"|no se (?:ha )?encontr\w+|ya no está disponible|página não encontrada|seite (?:wurde )?nicht gefunden"
    r"|nicht mehr (?:verfügbar|vorhanden)|(?:页面|网页|文章|内容).{0,8}(?:不存在|找不到|已(?:被)?删除|丢失|无法找到)"
    r"|找不到(?:页面|网页|该)|страниц\w+ не (?:найдена|существует)|не найдено|удалена|больше не доступн"
    r"|الصفحة (?:غير موجودة|غير متاحة)|لم يتم العثور|تعذر العثور",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\b(?:500|502|503|504)\b|internal server error|bad gateway|gateway time-?out|service (?:temporarily )?"
    r"unavailable|database (?:connection )?error|error establishing|under maintenance|temporarily (?:down"
    r"|unavailable)|something went wrong|forbidden|erreur (?:interne|du serveur|serveur)|service indisponible"
    r"|en maintenance|error (?:interno|del servidor)|servicio no disponible|en mantenimiento"
    r"|erro interno|serverfehler|wartungsarbeiten|服务器(?:内部)?(?:错误|繁忙|维护)|系统(?:维护|繁忙)|服务不可用|暂时无法访问"
    r"|ошибка сервера|внутренняя ошибка|сервис (?:временно )?недоступен|технически\w+ работ"
    r"|خطأ (?:في )?(?:داخلي|الخادم)|الخدمة غير متاحة|قيد الصيانة",
    re.IGNORECASE,
)
_NEEDS_SCRIPT = re.compile(
    r"(?:enable|activate|turn on|requires?|need|activ(?:er|ez)|activ[ae]r?|habilit[ae]r?|ative|aktivieren\w*"
    r"|启用|开启|打开|включите|разрешите|تفعيل|تمكين)\W.{0,40}java ?script|java ?script.{0,60}(?:enable"
    r"|disabled|required|activ|désactivé|desactivado|deshabilitado|désact|nécessaire|necesario|aktivier"
    r"|禁用|启用|支持|отключ|включ|مطلوب|معطل|تفعيل)",
    re.IGNORECASE,
)
_CHALLENGE = etree.XPath(
    "boolean(//*[contains(@class, 'captcha') or contains(@id, 'captcha')"
    " or contains(@id, 'challenge') or contains(@class, 'challenge') or contains(@src, 'captcha')"
    " or contains(@src, 'challenge') or contains(@class, 'turnstile')])"
)
_APP_ROOTS = frozenset({"root", "app", "__next", "__nuxt", "main-app", "react-root", "app-root"})
_GALLERY_TYPES = frozenset({"ImageGallery", "MediaGallery"})


def judge(
    tree: HtmlElement,
    blocks: Sequence[Block],
    text: str,
    *,
    title: str | None = None,
    types: Iterable[str] = (),
    url: str = "",
    status: int = 200,
) -> PageKind:
    """The kind of a page by its tree, blocks, extracted text and HTTP status (0: unknown).

    `title` is all that the page calls itself: <title> and headline. `types` are the schema.org and Open Graph types that the page states.
    """
    if status >= 400:
        return PageKind.ERROR_PAGE
    stated = frozenset(types)
    size = units(text)
    if size >= SHORT_UNITS:
        return _kind_of_text(blocks, text, stated, url)
    notice = _notice(tree, blocks, size, title or "")
    if notice is not None:
        return notice
    if (medium := _medium(tree, blocks, stated, size)) is not None:
        return medium
    if not _is_stated_article(stated) and _is_hub(blocks, size):
        return PageKind.HUB
    if size < EMPTY_UNITS:
        return PageKind.SCRIPT_SHELL if _is_shell(tree) else PageKind.EMPTY
    return _kind_of_text(blocks, text, stated, url)


def _kind_of_text(blocks: Sequence[Block], text: str, types: frozenset[str], url: str) -> PageKind:
    if "LiveBlogPosting" in types:
        return PageKind.LIVE_BLOG
    if _is_front(blocks, text, types, url):
        return PageKind.HUB
    return PageKind.ARTICLE


def _notice(tree: HtmlElement, blocks: Sequence[Block], size: float, title: str) -> PageKind | None:
    """What a page with little text says instead of a text."""
    visible = _visible(blocks)
    head = f"{title} {' '.join(block.text for block in blocks[:6])}"[:400]
    total = units(visible)
    if _CAPTCHA.search(f"{title} {visible}") and (
        total < STUB_UNITS or size < EMPTY_UNITS or (total < SHORT_UNITS and _CHALLENGE(tree))
    ):
        return PageKind.CAPTCHA
    if _NOT_FOUND.search(title) or (size < STUB_UNITS and _NOT_FOUND.search(head)):
        return PageKind.SOFT_404
    if _ERROR.search(title) or (total < STUB_UNITS and _ERROR.search(head)):
        return PageKind.ERROR_PAGE
    if total < 2 * SHORT_UNITS and _is_consent(visible):
        return PageKind.COOKIE_WALL
    if size < STUB_UNITS and _PAYWALL.search(visible):
        return PageKind.PAYWALL
    if (
        size < STUB_UNITS
        and total < SHORT_UNITS
        and _NEEDS_SCRIPT.search(_noscript(tree) + visible)
    ):
        return PageKind.SCRIPT_SHELL
    return None


def _visible(blocks: Sequence[Block]) -> str:
    pieces: list[str] = []
    room = _VISIBLE_CHARS
    for block in blocks:
        pieces.append(block.text[:room])
        room -= len(block.text)
        if room <= 0:
            break
    return "\n".join(pieces)


def _is_consent(visible: str) -> bool:
    """Whether consent words fill a page: several different ones, and dense."""
    found = [match[0].lower() for match in _CONSENT.finditer(visible)]
    return len(set(found)) >= 3 and len(found) * 25 >= units(visible)


def _noscript(tree: HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()) for element in tree.iter("noscript"))[:2000] + " "


def _medium(
    tree: HtmlElement, blocks: Sequence[Block], types: frozenset[str], size: float
) -> PageKind | None:
    """Gallery or video page: stated as such, or nothing but pictures or a player."""
    if _GALLERY_TYPES & types and size < 2 * STUB_UNITS:
        return PageKind.GALLERY
    is_video = "VideoObject" in types or any(name.startswith("video") for name in types)
    if is_video and size < (STUB_UNITS if _is_stated_article(types) else 2 * STUB_UNITS):
        return PageKind.VIDEO
    if size < STUB_UNITS and next(tree.iter("video"), None) is not None:
        return PageKind.VIDEO
    pictures = sum(
        1 for figure in tree.iter("figure") if next(figure.iter("img"), None) is not None
    )
    if pictures >= _GALLERY_PICTURES and _units_outside_figures(blocks) < STUB_UNITS:
        return PageKind.GALLERY
    return None


def _units_outside_figures(blocks: Sequence[Block]) -> float:
    return sum(
        units(block.text)
        for block in blocks
        if block.link_chars < 0.5 * len(block.text)
        and not any(element.tag in ("figure", "figcaption") for element in block.ancestry(3))
    )


def _is_hub(blocks: Sequence[Block], size: float) -> bool:
    """Many linked headlines and hardly a paragraph of the page's own."""
    headlines = sum(_is_teaser(block) for block in blocks)
    return headlines >= _HUB_LINKS and size < SHORT_UNITS and not _has_prose(blocks)


def _has_prose(blocks: Sequence[Block]) -> bool:
    """Two paragraphs with sentences that are not links: even a short report has them."""
    return sum(block.is_paragraph and block.link_chars == 0 for block in blocks) >= 2


def _is_teaser(block: Block) -> bool:
    length = len(block.text)
    return block.link_chars >= 0.8 * length and (length >= 20 or units(block.text) >= 5)


def _is_stated_article(types: frozenset[str]) -> bool:
    return any(name.endswith(("Article", "BlogPosting")) or name == "article" for name in types)


def _is_front(blocks: Sequence[Block], text: str, types: frozenset[str], url: str) -> bool:
    """A front page whose teasers read like text: the root of a site with many linked headlines."""
    if _is_stated_article(types):
        return False
    try:
        path = urlsplit(url).path.strip("/")
    except ValueError:
        return False
    if path and "CollectionPage" not in types:
        return False
    teasers = sum(len(block.text) for block in blocks if _is_teaser(block))
    return bool(url) and teasers > len(text)


def _is_shell(tree: HtmlElement) -> bool:
    """An application root without content, or a page that is scripts only."""
    if any(element.get("id") in _APP_ROOTS for element in tree.iter("div")):
        return True
    return (
        next(tree.iter("script"), None) is not None
        and _NEEDS_SCRIPT.search(_noscript(tree)) is not None
    )
