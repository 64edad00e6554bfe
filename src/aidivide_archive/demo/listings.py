"""The demo newsroom's machine-readable listings: RSS, Atom, sitemaps, robots.txt.

Pure and deterministic; times are those of the articles, never the clock's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from aidivide_archive.demo.content import Article, Listing, Outlet
from aidivide_archive.demo.pages import FICTION, listed, stamp

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def render_listing(outlet: Outlet, listing: Listing, base: str) -> str:
    """One feed or sitemap as text; `base` is the outlet's origin.

    Raises KeyError for a kind that is no feed and no sitemap.
    """
    writers = {
        "rss": _rss,
        "atom": _atom,
        "sitemap": _sitemap,
        "news_sitemap": _news_sitemap,
        "sitemap_index": _sitemap_index,
    }
    return writers[listing.kind](outlet, listing, base)


def render_robots(outlet: Outlet, base: str) -> str:
    """robots.txt, with the sitemaps it announces."""
    announced = [
        f"Sitemap: {base}{listing.path}"
        for listing in outlet.listings
        if listing.kind in {"sitemap_index", "news_sitemap"}
    ]
    return "\n".join([f"# {FICTION}", outlet.robots.strip(), *announced]) + "\n"


def newest(articles: tuple[Article, ...]) -> datetime | None:
    """When the youngest of some articles was last changed; None without articles."""
    return max((article.modified or article.published for article in articles), default=None)


def _rss(outlet: Outlet, listing: Listing, base: str) -> str:
    front = next(other.path for other in outlet.listings if other.kind == "hub")
    items = "".join(
        "<item>"
        f"<title><![CDATA[{article.headline}]]></title>"
        f"<link>{escape(base + outlet.article_path(article))}</link>"
        f'<guid isPermaLink="false">{outlet.key}-{article.number(7)}</guid>'
        f"<pubDate>{_rss_date(outlet, article.published)}</pubDate>"
        + "".join(f"<dc:creator>{escape(name)}</dc:creator>" for name in article.authors)
        + f"<description>{escape(article.description)}</description>"
        "</item>\n"
        for article in listed(outlet, listing)
    )
    return (
        f'{XML}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f"<channel><title>{escape(outlet.name)}</title><link>{escape(base + front)}</link>"
        f"<description>{FICTION}</description><language>{outlet.language}</language>\n"
        f"{items}</channel></rss>\n"
    )


def _rss_date(outlet: Outlet, moment: datetime) -> str:
    if outlet.date_only:
        return moment.strftime("%d/%m/%Y")  # not RFC 822, as small outlets write it
    return format_datetime(moment)


def _atom(outlet: Outlet, listing: Listing, base: str) -> str:
    articles = listed(outlet, listing)
    updated = newest(articles)
    entries = "".join(
        "<entry>"
        f"<title>{escape(article.headline)}</title>"
        f'<link rel="alternate" href={quoteattr(base + outlet.article_path(article))}/>'
        f"<id>tag:{outlet.host},2025:{article.number(7)}</id>"
        f"<published>{stamp(outlet, article.published)}</published>"
        f"<updated>{stamp(outlet, article.modified or article.published)}</updated>"
        + "".join(f"<author><name>{escape(name)}</name></author>" for name in article.authors)
        + f"<summary>{escape(article.description)}</summary>"
        "</entry>\n"
        for article in articles
    )
    return (
        f'{XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.language}">\n'
        f"<title>{escape(outlet.name)}</title><subtitle>{FICTION}</subtitle>"
        f"<id>tag:{outlet.host},2025:feed</id>"
        f'<link rel="self" href={quoteattr(base + listing.path)}/>'
        f"<updated>{updated.isoformat() if updated else ''}</updated>\n"
        f"{entries}</feed>\n"
    )


def _sitemap(outlet: Outlet, listing: Listing, base: str) -> str:
    rows = "".join(
        f"<url><loc>{escape(base + outlet.article_path(article))}</loc>"
        f"<lastmod>{stamp(outlet, article.modified or article.published)}</lastmod></url>\n"
        for article in listed(outlet, listing)
    )
    return f'{XML}<urlset xmlns="{SITEMAP}">\n{rows}</urlset>\n'


def _news_sitemap(outlet: Outlet, listing: Listing, base: str) -> str:
    rows = "".join(
        f"<url><loc>{escape(base + outlet.article_path(article))}</loc><news:news>"
        f"<news:publication><news:name>{escape(outlet.name)}</news:name>"
        f"<news:language>{outlet.language}</news:language></news:publication>"
        f"<news:publication_date>{stamp(outlet, article.published)}</news:publication_date>"
        f"<news:title>{escape(article.headline)}</news:title></news:news></url>\n"
        for article in listed(outlet, listing)
    )
    return f'{XML}<urlset xmlns="{SITEMAP}" xmlns:news="{NEWS}">\n{rows}</urlset>\n'


def _sitemap_index(outlet: Outlet, listing: Listing, base: str) -> str:
    """Leads to the outlet's other sitemaps."""
    changed = newest(outlet.articles)
    rows = "".join(
        f"<sitemap><loc>{escape(base + other.path)}</loc>"
        f"<lastmod>{changed.astimezone(UTC).isoformat() if changed else ''}</lastmod></sitemap>\n"
        for other in outlet.listings
        if other is not listing and other.kind in {"sitemap", "news_sitemap"}
    )
    return f'{XML}<sitemapindex xmlns="{SITEMAP}">\n{rows}</sitemapindex>\n'
