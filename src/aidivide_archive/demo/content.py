"""Reading the demo newsroom's files: one directory an outlet, one Markdown file an article.

    content/<outlet>/outlet.toml    who the outlet is, how it dates, links and lists
    content/<outlet>/frame.html     the page round everything (string.Template)
    content/<outlet>/article.html   the article inside the frame (string.Template)
    content/<outlet>/<slug>.md      TOML between +++ lines, then paragraphs between blank lines

Knows nothing of HTML beyond the names of the templates, and nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

FENCE = "+++\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One planned page with words of its own."""

    outlet: str
    """Key of the outlet: its directory's name."""
    slug: str
    """The file's name without suffix; `key` is the name that the planned truth uses."""
    title: str
    published: datetime
    """As the outlet writes it, with its offset."""
    section: str
    paragraphs: tuple[str, ...]
    """Plain text; "## " starts a subheading. One HTML fragment when `raw`."""
    modified: datetime | None = None
    modified_meta: datetime | None = None
    """A second, conflicting statement of the same page; None: it says the same."""
    authors: tuple[str, ...] = ()
    description: str = ""
    credit: str = ""
    """Who the text comes from, in the outlet's own words; empty: nothing is said."""
    caption: str = ""
    photo_credit: str = ""
    tags: tuple[str, ...] = ()
    teaser: str = ""
    """Headline in lists when it is not the title: a page that no longer holds what it promised."""
    raw: bool = False

    @property
    def headline(self) -> str:
        """What lists and feeds call the article."""
        return self.teaser or self.title

    @property
    def key(self) -> str:
        return f"{self.outlet}/{self.slug}"

    @property
    def text(self) -> str:
        """The words a reader came for: paragraphs and subheadings, one a line."""
        return "\n".join(paragraph.removeprefix("## ") for paragraph in self.paragraphs)

    def number(self, digits: int) -> str:
        """A decimal id as content systems print it, the same for ever."""
        digest = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:8], "big")
        return str(10 ** (digits - 1) + digest % (9 * 10 ** (digits - 1)))

    def object_id(self) -> str:
        """24 hex digits whose first eight are the publication second (a MongoDB ObjectId)."""
        tail = hashlib.sha256(self.key.encode()).hexdigest()[:16]
        return f"{int(self.published.timestamp()):08x}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A document that leads to articles."""

    kind: str
    """"hub", "rss", "atom", "sitemap", "news_sitemap" or "sitemap_index"."""
    path: str
    title: str = ""
    sections: tuple[str, ...] = ()
    """The sections whose articles it lists; empty: all of them."""
    extra: tuple[tuple[str, str], ...] = ()
    """Further links as (path, headline): a withdrawn page, an old address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One invented outlet: its host, its habits and its articles, newest first."""

    key: str
    host: str
    name: str
    language: str
    country: str
    kind: str
    timezone: str
    path: str
    """Format of an article's address, see `article_path`."""
    date_format: str
    months: tuple[str, ...]
    date_only: bool
    """Its metadata names the day alone."""
    json_ld: str
    """"full", "graph", "wrong_modified" or "none"."""
    copyright: str
    charset: str
    gzip: bool
    robots: str
    """Body of robots.txt; empty: the outlet has none and answers 404."""
    listings: tuple[Listing, ...]
    redirects: tuple[tuple[str, str], ...]
    """(old path, slug of the article it leads to)."""
    inserts: tuple[tuple[int, str], ...]
    """(after which paragraph, HTML that the outlet's system puts there)."""
    frame: str
    template: str
    articles: tuple[Article, ...]

    def article_path(self, article: Article) -> str:
        """Address of an article on this outlet's host, as its content system would make it."""
        day = article.published
        return self.path.format(
            year=day.year,
            month=f"{day.month:02}",
            day=f"{day.day:02}",
            slug=article.slug,
            section=article.section,
            object_id=article.object_id(),
            number=article.number(7),
        )

    def visible_date(self, moment: datetime) -> str:
        """The date as this outlet prints it; independent of the machine's locale and zone."""
        return self.date_format.format(
            year=moment.year,
            month=f"{moment.month:02}",
            month_name=self.months[moment.month - 1] if self.months else "",
            day=f"{moment.day:02}",
            plain_day=moment.day,
            time=f"{moment.hour:02}:{moment.minute:02}",
        )

    def article(self, slug: str) -> Article:
        """Raises KeyError for a slug without a file."""
        for article in self.articles:
            if article.slug == slug:
                return article
        raise KeyError(f"{self.key}/{slug}")


def read_outlets(root: Traversable | None = None) -> tuple[Outlet, ...]:
    """All outlets by key, whatever the order of the file system; `root` holds their folders."""
    folders = sorted(
        (root or files("aidivide_archive.demo") / "content").iterdir(), key=lambda entry: entry.name
    )
    return tuple(read_outlet(folder) for folder in folders if (folder / "outlet.toml").is_file())


def read_outlet(folder: Traversable) -> Outlet:
    """Read one outlet with its articles, the newest first.

    Raises KeyError or ValueError when a file is not as the module says: a fault of the package.
    """
    fields = tomllib.loads((folder / "outlet.toml").read_text(encoding="utf-8"))
    articles = [
        read_article(folder.name, entry.name.removesuffix(".md"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".md")
    ]
    articles.sort(key=lambda article: article.slug)
    articles.sort(key=lambda article: article.published, reverse=True)
    return Outlet(
        key=folder.name,
        host=fields["host"],
        name=fields["name"],
        language=fields["language"],
        country=fields["country"],
        kind=fields["kind"],
        timezone=fields["timezone"],
        path=fields["path"],
        date_format=fields["date_format"],
        months=tuple(fields.get("months", "").split()),
        date_only=fields.get("date_only", False),
        json_ld=fields.get("json_ld", "full"),
        copyright=fields["copyright"],
        charset=fields.get("charset", "utf-8"),
        gzip=fields.get("gzip", False),
        robots=fields.get("robots", ""),
        listings=tuple(_listing(entry) for entry in fields["listing"]),
        redirects=tuple((entry["path"], entry["to"]) for entry in fields.get("redirect", [])),
        inserts=tuple((entry["after"], entry["html"]) for entry in fields.get("insert", [])),
        frame=(folder / "frame.html").read_text(encoding="utf-8"),
        template=(folder / "article.html").read_text(encoding="utf-8"),
        articles=tuple(articles),
    )


def _listing(fields: dict[str, object]) -> Listing:
    sections = cast("list[str]", fields.get("sections", []))
    extra = cast("list[dict[str, str]]", fields.get("extra", []))
    return Listing(
        kind=str(fields["kind"]),
        path=str(fields["path"]),
        title=str(fields.get("title", "")),
        sections=tuple(sections),
        extra=tuple((link["path"], link["title"]) for link in extra),
    )


def read_article(outlet: str, slug: str, document: str) -> Article:
    """Read one article file; `document` is its text.

    Raises ValueError without a +++ head, or for a publication time without an offset.
    """
    head, fence, body = document.removeprefix(FENCE).partition("\n" + FENCE)
    if not fence:
        raise ValueError(f"{outlet}/{slug}.md: no TOML between +++ lines")
    fields = tomllib.loads(head)
    published: datetime = fields["published"]
    if published.utcoffset() is None:
        raise ValueError(f"{outlet}/{slug}.md: 'published' needs an offset")
    raw = fields.get("raw", False)
    parts = [body] if raw else [" ".join(part.split()) for part in body.split("\n\n")]
    return Article(
        outlet=outlet,
        slug=slug,
        title=fields["title"],
        published=published,
        section=fields["section"],
        paragraphs=tuple(part for part in parts if part),
        modified=fields.get("modified"),
        modified_meta=fields.get("modified_meta"),
        authors=tuple(fields.get("authors", [])),
        description=fields.get("description", ""),
        credit=fields.get("credit", ""),
        caption=fields.get("caption", ""),
        photo_credit=fields.get("photo_credit", ""),
        tags=tuple(fields.get("tags", [])),
        teaser=fields.get("teaser", ""),
        raw=raw,
    )
