"""What the fault server sends: pure functions that make articles, encodings, bombs, poison and XML, all by rule."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable

import brotli
import zstandard

from tests.support.texts import sentences


def article(seed: int, *, links: tuple[str, ...] = (), head: str = "", count: int = 24) -> bytes:
    """An English article of its own text, with links below it."""
    lines = sentences(seed, count)
    title = f"Report number {seed}"
    paragraphs = "".join(f"<p>{' '.join(lines[n : n + 4])}</p>" for n in range(0, len(lines), 4))
    return html(f"<main><article><h1>{title}</h1>{paragraphs}</article></main>{anchors(links)}",
                title=title, head='<meta property="og:type" content="article">'
                '<meta property="article:published_time" content="2025-07-28T09:00:00+08:00">'
                + head)  # fmt: skip


def anchors(links: tuple[str, ...]) -> str:
    if not links:
        return ""
    return "<ul>" + "".join(f'<li><a href="{one}">Story {one}</a></li>' for one in links) + "</ul>"


def html(body: str, *, title: str = "A page", head: str = "") -> bytes:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}'
        f"</head><body>{body}</body></html>"
    ).encode()


def hub(*links: str) -> bytes:
    return html(anchors(links), title="Front")


# --- encodings -----------------------------------------------------------------------------------


def deflate(data: bytes) -> bytes:
    return zlib.compress(data, 9)


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": lambda data: zstandard.ZstdCompressor(level=3).compress(data),
    "deflate": deflate,
}

LEGACY = {
    "windows-1252": "Der Minister eröffnete die Brücke – ein Café für „alle“ übergab er spät. ",
    "windows-1251": "Министр открыл каменный мост после долгих споров на площади. ",
    "koi8-r": "Инженер измерил речные огни и попросил терпения у жителей. ",
    "iso-8859-2": "Żaden most nie był naprawiony, choć inżynier obiecał źródło światła. ",
    "gb18030": "部长在市场关门之前打开了石桥，并请村民耐心等待。",
    "big5": "工程師測量了河邊的燈光，並在廣場上請大家耐心等待。",
    "shift_jis": "大臣は市場が閉まる前に石の橋を開き、村人に忍耐を求めた。",
    "euc-kr": "장관은 시장이 문을 닫기 전에 돌다리를 열고 인내를 부탁했다. ",
    "windows-1256": "افتتح الوزير الجسر الحجري قبل إغلاق السوق وطلب الصبر من القرية. ",
}
"""Text by charset, for pages in nine legacy encodings."""
LABELS = ("http", "meta", "both", "none", "wrong")
"""Where a page declares its charset."""


def encoded_page(charset: str, label: str) -> tuple[bytes, str]:
    """A page in a legacy charset and its Content-Type."""
    words = LEGACY[charset] * 30
    meta = f'<meta charset="{charset}">' if label in ("meta", "both") else ""
    text = f"<html><head>{meta}<title>Page</title></head><body><article><p>{words}</p></article></body></html>"
    declared = {"http": charset, "both": charset, "wrong": "utf-8"}.get(label)
    return text.encode(charset), "text/html" + (f"; charset={declared}" if declared else "")


# --- bombs ---------------------------------------------------------------------------------------

_BOMB_MEGABYTES = 200


def bomb(codec: str, megabytes: int = _BOMB_MEGABYTES) -> bytes:
    """Zeros behind a page's head, about 1,000:1; at most 2 MiB compressed."""
    head, zeros = b"<html><body><p>", bytes(2**20)
    if codec == "gzip" or codec == "deflate":
        maker = zlib.compressobj(9, wbits=31 if codec == "gzip" else 15)
        parts = [maker.compress(head), *(maker.compress(zeros) for _ in range(megabytes))]
        return b"".join((*parts, maker.flush()))
    if codec == "br":
        stream = brotli.Compressor(quality=1)
        parts = [stream.process(head), *(stream.process(zeros) for _ in range(megabytes))]
        return b"".join((*parts, stream.finish()))
    zstd = zstandard.ZstdCompressor(level=3).compressobj()
    parts = [zstd.compress(head), *(zstd.compress(zeros) for _ in range(megabytes))]
    return b"".join((*parts, zstd.flush()))


# --- poison --------------------------------------------------------------------------------------


def poison(shape: str, size: int) -> bytes:
    """Markup that costs parsers far more than its length; `size` counts its repeated part."""
    article_text = f"<p>{' '.join(sentences(7))}</p>"
    parts: dict[str, Callable[[], str]] = {
        "attributes": lambda: (
            f"<div {' '.join(f'a{n}=1' for n in range(size))}>{article_text}</div>"
        ),
        "deep": lambda: "<div>" * size + article_text + "</div>" * size,
        "deep_inline": lambda: "<b>" * size + article_text,
        "deep_tables": lambda: "<table><tr><td>" * size + article_text,
        "deep_lists": lambda: "<ul><li>" * size + article_text,
        "unclosed": lambda: "<p>word " * size + article_text,
        "link_paragraphs": lambda: f'<p><a href="/x">word word</a> {article_text[3:40]}</p>' * size,
        "links": lambda: "".join(f'<a href="/l/{n}">link {n}</a> ' for n in range(size)),
        "entities": lambda: "<p>" + "&amp;" * size + "</p>" + article_text,
        "comments": lambda: "<!-- x -->" * size + article_text,
        "open_comment": lambda: article_text + "<!-- " + "x" * size,
        "scripts": lambda: "<script>var a = '<p>';</script>" * size + article_text,
        "open_script": lambda: article_text + "<script>" + "x" * size,
        "forms": lambda: "<form><input name=a>" * size + article_text,
        "selects": lambda: f"<select>{'<option>x' * size}</select>{article_text}",
        "long_word": lambda: f"<p>{'x' * size}</p>{article_text}",
        "long_line": lambda: f"<p>{'word ' * size}</p>",
        "breaks": lambda: "line<br>" * size + article_text,
        "misnested": lambda: "<b><i>x</b></i>" * size + article_text,
        "tag_names": lambda: "".join(f"<t{n}>" for n in range(size)) + article_text,
        "style": lambda: f'<p style="{"a:b;" * size}">{article_text}</p>',
        "json_ld": lambda: (
            f'<script type="application/ld+json">{"[" * size}</script>{article_text}'
        ),
        "metas": lambda: "<meta name=keywords content=x>" * size + article_text,
        "iframes": lambda: "<iframe src=x>" * size + article_text,
        "nul": lambda: f"<p>{chr(0) * size}</p>{article_text}",
        "spaces": lambda: f"<p>{' ' * size}</p>{article_text}",
    }
    return html(parts[shape](), title="Poison")


POISON_SHAPES = (
    "attributes", "deep", "deep_inline", "deep_tables", "deep_lists", "unclosed", "link_paragraphs",
    "links", "entities", "comments", "open_comment", "scripts", "open_script", "forms", "selects",
    "long_word", "long_line", "breaks", "misnested", "tag_names", "style", "json_ld", "metas",
    "iframes", "nul", "spaces",
)  # fmt: skip


# --- XML -----------------------------------------------------------------------------------------

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(urls: tuple[str, ...], *, head: str = "") -> bytes:
    places = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return f'<?xml version="1.0"?>{head}<urlset {_SITEMAP}>{places}</urlset>'.encode()


def sitemap_index(urls: tuple[str, ...]) -> bytes:
    places = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f'<?xml version="1.0"?><sitemapindex {_SITEMAP}>{places}</sitemapindex>'.encode()


def feed(urls: tuple[str, ...], *, head: str = "", title: str = "A story") -> bytes:
    items = "".join(f"<item><title>{title}</title><link>{url}</link></item>" for url in urls)
    return (
        f'<?xml version="1.0"?>{head}<rss version="2.0"><channel>{items}</channel></rss>'.encode()
    )


def doctype(attack: str, probe: str) -> tuple[str, str]:
    """A document type with an attack in it, and the reference that sets it off; `probe` must never be fetched."""
    if attack == "laughs":
        levels = "".join(
            f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">'
            for n in range(10)
        )
        return f"<!DOCTYPE x [{levels}]>", "&l9;"
    if attack == "quadratic":
        return f'<!DOCTYPE x [<!ENTITY q "{"q" * 50_000}">]>', "&q;" * 2_000
    declared = {
        "file": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{probe}">]>',
        "http": f'<!DOCTYPE x [<!ENTITY e SYSTEM "{probe}">]>',
        "parameter": f'<!DOCTYPE x [<!ENTITY % e SYSTEM "{probe}"> %e;]>',
        "dtd": f'<!DOCTYPE x SYSTEM "{probe}">',
    }
    return declared[attack], "" if attack in ("parameter", "dtd") else "&e;"


XML_ATTACKS = ("laughs", "quadratic", "file", "http", "parameter", "dtd")

# --- rights and stubs ----------------------------------------------------------------------------

RIGHTS: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, ""),
    "noindex_meta": ({}, '<meta name="robots" content="noindex">'),
    "noarchive_meta": ({}, '<meta name="robots" content="NOARCHIVE, nofollow">'),
    "noarchive_header": ({"X-Robots-Tag": "noarchive"}, ""),
    "noarchive_other_agent": ({"X-Robots-Tag": "otherbot: noarchive"}, ""),
    "noarchive_our_agent": ({"X-Robots-Tag": "aidivide-archive: noarchive"}, ""),
    "noai_header": ({"X-Robots-Tag": "noai, noimageai"}, ""),
    "noai_meta": ({}, '<meta name="robots" content="noai">'),
    "nosnippet": ({}, '<meta name="robots" content="nosnippet">'),
    "tdm_header": ({"TDM-Reservation": "1", "TDM-Policy": "https://pub.example/tdm"}, ""),
    "tdm_header_zero": ({"TDM-Reservation": "0"}, ""),
    "tdm_meta": ({}, '<meta name="tdm-reservation" content="1">'),
    "tdm_header_beats_meta": (
        {"TDM-Reservation": "0"},
        '<meta name="tdm-reservation" content="1">',
    ),
    "licence": ({}, '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">'),
    "rights_meta": ({}, '<meta name="dcterms.rights" content="All rights reserved">'),
}
"""Response headers and head markup by case."""


def stub(kind: str) -> bytes:
    """A page without its article, as sites send with status 200."""
    words = {
        "cookie_wall": "<h1>We value your privacy</h1><p>We and our 812 partners store cookies on your device. "
        "Accept all cookies or manage your settings to continue to the site.</p>",
        "captcha": "<h1>Just a moment…</h1><p>Verify you are human by completing the action below. Checking your "
        "browser before accessing the site.</p>",
        "paywall": "<h1>A long report</h1><p>The story began in spring …</p><p>Subscribe to continue reading. "
        "Already a subscriber? Log in.</p>",
        "soft_404": "<h1>Page not found</h1><p>The page you are looking for was moved or does not exist.</p>",
        "empty": "",
        "script_shell": '<div id="root"></div><noscript>You need to enable JavaScript to run this app.</noscript>'
        '<script src="/main.js"></script>',
    }
    return html(words[kind], title={"soft_404": "404"}.get(kind, "News"))


STUBS = ("cookie_wall", "captcha", "paywall", "soft_404", "empty", "script_shell")


def tiny_pdf_zip() -> dict[str, bytes]:
    """Bodies that are no page, for wrong types."""
    return {"pdf": b"%PDF-1.7 no page", "zip": b"PK\x03\x04" + struct.pack("<I", 0) * 5}
