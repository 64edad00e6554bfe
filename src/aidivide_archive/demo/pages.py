"""The demo newsroom's HTML: an article or a hub inside its outlet's frame.

Pure: the same outlet, article and base address give the same characters.
"""

from __future__ import annotations

import html
import json
from datetime import datetime
from string import Template

from aidivide_archive.demo.content import Article, Listing, Outlet

FICTION = "demo newsroom of aidivide-archive: invented outlets, invented reports"


def render_article(outlet: Outlet, article: Article, base: str) -> str:
    """One article page; `base` is the outlet's origin, "http://host:port"."""
    url = base + outlet.article_path(article)
    main = "\n".join(article.paragraphs) if article.raw else _fill_article(outlet, article, base)
    head = "" if article.raw else _head(outlet, article, url)
    return _frame(outlet, title=article.title, head=head, main=main, url=url, base=base)


def render_hub(outlet: Outlet, listing: Listing, base: str) -> str:
    """A section front: headlines with teasers, then the bare links of `extra`."""
    rows = [
        f'<li class="teaser"><h3><a href="{_escape(outlet.article_path(article))}">'
        f"{_escape(article.headline)}</a></h3>"
        f'<span class="when">{_escape(outlet.visible_date(article.published))}</span>'
        f"<p>{_escape(article.description)}</p></li>"
        for article in listed(outlet, listing)
    ]
    rows += [
        f'<li class="teaser"><h3><a href="{_escape(path)}">{_escape(title)}</a></h3></li>'
        for path, title in listing.extra
    ]
    main = f'<h1 class="front">{_escape(listing.title)}</h1>\n<ul class="teasers">\n'
    main += "\n".join(rows) + "\n</ul>"
    return _frame(
        outlet, title=listing.title, head="", main=main, url=base + listing.path, base=base
    )


def listed(outlet: Outlet, listing: Listing) -> tuple[Article, ...]:
    """The articles a listing leads to, newest first."""
    return tuple(
        article
        for article in outlet.articles
        if not listing.sections or article.section in listing.sections
    )


def stamp(outlet: Outlet, moment: datetime) -> str:
    """A time as the outlet's metadata states it: with its offset, or the day alone."""
    return moment.date().isoformat() if outlet.date_only else moment.isoformat()


def _frame(outlet: Outlet, *, title: str, head: str, main: str, url: str, base: str) -> str:
    return Template(outlet.frame).substitute(
        language=outlet.language,
        charset=outlet.charset,
        title=_escape(title),
        outlet=_escape(outlet.name),
        fiction=_escape(FICTION),
        head=head,
        main=main,
        url=_escape(url),
        base=_escape(base),
        copyright=_escape(outlet.copyright),
    )


def _fill_article(outlet: Outlet, article: Article, base: str) -> str:
    modified = article.modified or article.published
    return Template(outlet.template).substitute(
        title=_escape(article.title),
        description=_escape(article.description),
        outlet=_escape(outlet.name),
        authors=_escape(", ".join(article.authors)),
        section=_escape(article.section),
        published=_escape(outlet.visible_date(article.published)),
        published_iso=stamp(outlet, article.published),
        modified=_escape(outlet.visible_date(modified)),
        modified_iso=stamp(outlet, modified),
        credit=_escape(article.credit),
        figure=_figure(article),
        body=_body(outlet, article),
        related=_related(outlet, article),
        next=_next(outlet, article),
        tags=", ".join(f'<a rel="tag" href="#">{_escape(tag)}</a>' for tag in article.tags),
        url=_escape(base + outlet.article_path(article)),
    )


def _body(outlet: Outlet, article: Article) -> str:
    lines: list[str] = []
    for position, paragraph in enumerate(article.paragraphs, start=1):
        if paragraph.startswith("## "):
            lines.append(f"<h2>{_escape(paragraph.removeprefix('## '))}</h2>")
        else:
            lines.append(f"<p>{_escape(paragraph)}</p>")
        lines += [markup for after, markup in outlet.inserts if after == position]
    return "\n".join(lines)


def _figure(article: Article) -> str:
    if not article.caption:
        return ""
    return (
        f'<figure><img src="/images/{article.slug}.jpg" alt="" width="900" height="600">'
        f"<figcaption>{_escape(article.caption)} "
        f'<span class="credit">{_escape(article.photo_credit)}</span></figcaption></figure>'
    )


def _related(outlet: Outlet, article: Article) -> str:
    """Four headlines of the same outlet: clutter that is full of the event's words."""
    others = [other for other in outlet.articles if other is not article and not other.raw]
    return "\n".join(
        f'<li><a href="{_escape(outlet.article_path(other))}">{_escape(other.headline)}</a></li>'
        for other in others[:4]
    )


def _next(outlet: Outlet, article: Article) -> str:
    """The older neighbour, as "next post" links name it."""
    older = (other for other in outlet.articles if other.published < article.published)
    other = next(older, outlet.articles[0])
    return f'<a href="{_escape(outlet.article_path(other))}">{_escape(other.headline)}</a>'


def _head(outlet: Outlet, article: Article, url: str) -> str:
    """Metadata of the quality that this outlet has."""
    modified = article.modified or article.published
    lines = [
        f'<link rel="canonical" href="{_escape(url)}">',
        f'<meta name="description" content="{_escape(article.description)}">',
        f'<meta property="og:title" content="{_escape(article.title)} - {_escape(outlet.name)}">',
        '<meta property="og:type" content="article">',
        f'<meta property="og:site_name" content="{_escape(outlet.name)}">',
    ]
    if outlet.json_ld != "none":
        lines += [
            '<meta property="article:published_time"'
            f' content="{stamp(outlet, article.published)}">',
            '<meta property="article:modified_time"'
            f' content="{stamp(outlet, article.modified_meta or modified)}">',
            '<script type="application/ld+json">',
            # "</script>" in a headline would end the element
            json.dumps(_json_ld(outlet, article, url), ensure_ascii=False).replace("<", r"\u003c"),
            "</script>",
        ]
    return "\n".join(lines)


def _json_ld(outlet: Outlet, article: Article, url: str) -> dict[str, object]:
    news: dict[str, object] = {
        "@type": "NewsArticle",
        "headline": article.title,
        "url": url,
        "inLanguage": outlet.language,
        "datePublished": stamp(outlet, article.published),
        "dateModified": stamp(outlet, article.modified or article.published),
        "publisher": {"@type": "NewsMediaOrganization", "name": outlet.name},
    }
    if article.authors:
        news["author"] = [{"@type": "Person", "name": name} for name in article.authors]
    if article.description:
        news["description"] = article.description
    if outlet.json_ld == "graph":
        page = {"@type": "WebPage", "url": url, "name": f"{article.title} - {outlet.name}"}
        return {"@context": "https://schema.org", "@graph": [page, news]}
    return {"@context": "https://schema.org", **news}


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
