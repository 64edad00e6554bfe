"""The tables of an event profile as frozen, closed models; every key carries its description."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from aidivide_archive.config.values import (
    Address,
    Count,
    Country,
    HeaderText,
    Host,
    HostPort,
    HttpUrl,
    Language,
    Network,
    PhrasesByLanguage,
    Points,
    Regex,
    Seconds,
    Text,
    TimeZone,
    XPath,
)
from aidivide_archive.model import UrlKind


class Section(BaseModel):
    """A table of the profile: closed to unknown keys, immutable, no silent conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_by_alias=True, validate_by_name=False
    )


def section_of(annotation: object) -> type[Section] | None:
    """The model in an annotation such as `Event` or `tuple[Source, ...]`; None without one."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


# --- what the event is ---------------------------------------------------------------------------


class Event(Section):
    """What is archived."""

    id: str = Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=80,
        description="Short name in lower-case letters, digits and hyphens; stored with every row.",
    )
    title: Text = Field(description="The event's title, for people.")
    part_of: Text | None = Field(
        default=None, description="A larger event that this one belongs to."
    )
    date: dt.date | None = Field(
        default=None, description="The day of the event, in its time zone."
    )
    timezone: TimeZone = Field(
        default="UTC", description="IANA time zone of the event and of `[window]`."
    )
    place: tuple[Text, ...] = Field(default=(), description="Names of the place, in any language.")
    organisers: tuple[Text, ...] = Field(default=(), description="Names of the organisers.")
    titles: dict[Language, Text] = Field(
        default={}, description="The official title in each language."
    )
    facts: dict[Text, JsonValue] = Field(
        default={},
        description="Facts to check a page against; free keys, shown to people, never scored.",
    )


class Window(Section):
    """Publication days worth keeping, both inclusive. Without it: no limit."""

    first_day: dt.date | None = Field(
        default=None,
        alias="from",
        description="First day, in the event's time zone; absent: no limit.",
    )
    last_day: dt.date | None = Field(
        default=None,
        alias="to",
        description="Last day, in the event's time zone; absent: no limit.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            msg = '"to" is before "from"'
            raise ValueError(msg)
        return self


# --- what is relevant ----------------------------------------------------------------------------


class RelevanceRules(Section):
    """How points decide. Only the extracted text and the title are scored."""

    keep: Points = Field(default=6, description="Points from which a page is kept.")
    review: Points = Field(
        default=3, description="Points from which a page is kept for a person to decide on."
    )
    required: tuple[tuple[Text, ...], ...] = Field(
        default=(),
        description="Sets of group names. When given, `keep` also needs every group of one set, and "
        "none of those written `!name`; a page without stays at `review`, whatever its points.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> RelevanceRules:
        if self.keep < self.review:
            msg = '"keep" is less than "review"'
            raise ValueError(msg)
        return self


class Group(Section):
    """One concept. It counts once, double in the title or the first 200 words (400 characters of Chinese,
    Japanese, Korean, Thai, Lao, Khmer or Burmese). Without any group every page is kept.
    """

    name: Annotated[str, Field(pattern=r"^[^!]")] = Field(
        description="Name of the concept, shown as evidence."
    )
    weight: Points = Field(
        default=1,
        description="Points; negative for what speaks against the event (another event's name).",
    )
    any: PhrasesByLanguage = Field(
        default={},
        description='Phrases by language, one of which must occur ("*" for every language). '
        "`(a|b)` is either, `(a|)` optional, `…` up to 15 words (30 such characters) of the same sentence.",
    )
    all: PhrasesByLanguage = Field(
        default={}, description="Phrases by language; all of one language must occur."
    )
    none: PhrasesByLanguage = Field(
        default={}, description="Phrases by language; when one occurs, the group does not count."
    )

    @model_validator(mode="after")
    def _has_phrases(self) -> Group:
        if not any(self.any.values()) and not any(self.all.values()):
            msg = 'has no phrases; give "any" or "all"'
            raise ValueError(msg)
        return self


class Exclude(Section):
    """Phrases that reject a page, whatever its points."""

    any: PhrasesByLanguage = Field(
        default={}, description="Phrases by language, as in `[[group]]`."
    )


class NearMiss(Section):
    """Coverage of something else that looks alike; for people and tests, never scored."""

    name: Text = Field(description="What it is.")
    date: dt.date | None = Field(default=None, description="Its day, when known.")
    when: Text | None = Field(
        default=None, description="Its time in words, when there is no one day."
    )
    why: Text | None = Field(default=None, description="Why it is easily mistaken for the event.")


# --- where from ----------------------------------------------------------------------------------


class Source(Section):
    """An outlet and the ways to discover its pages."""

    name: Text = Field(description="The outlet's name.")
    domain: HostPort = Field(
        description="Registrable domain or host; covers its subdomains. May be an address with "
        "a port, such as 127.0.0.1:8000."
    )
    hosts: tuple[HostPort, ...] = Field(default=(), description="Further hosts of the same outlet.")
    country: Country | None = Field(default=None, description="ISO 3166 code, two capitals.")
    language: Language | None = Field(default=None, description="Main language (BCP 47).")
    kind: Text | None = Field(
        default=None, description="Free word: state media, agency, rewriter …"
    )
    timezone: TimeZone | None = Field(
        default=None, description="IANA time zone of dates that state none; absent: the event's."
    )
    seeds: tuple[HttpUrl, ...] = Field(default=(), description="Known article addresses.")
    hubs: tuple[HttpUrl, ...] = Field(
        default=(), description="Home and section pages to take links from."
    )
    feeds: tuple[HttpUrl, ...] = Field(default=(), description="RSS, Atom, RDF or JSON feeds.")
    sitemaps: tuple[HttpUrl, ...] = Field(default=(), description="Sitemaps or sitemap indexes.")
    allow: tuple[Regex, ...] = Field(
        default=(),
        description="Regular expressions; a link is followed when one is found in its path. "
        "Empty: every path of the site.",
    )
    deny: tuple[Regex, ...] = Field(
        default=(),
        description="Regular expressions on the path that forbid a link; stronger than `allow`.",
    )
    prune: tuple[XPath, ...] = Field(
        default=(), description="XPaths of elements that are never text."
    )
    body: tuple[XPath, ...] = Field(
        default=(),
        description="XPaths of the article's body; the first with 200 characters of text wins.",
    )

    def addresses(self) -> Iterator[tuple[UrlKind, str]]:
        """Every address the source names and what it is expected to be; listings before pages."""
        for kind in sorted(UrlKind, key=lambda kind: -kind.priority):
            for url in getattr(self, kind.key):
                yield kind, url


class SourceList(Section):
    """Sources kept in another file."""

    file: Text = Field(
        description="OPML (`.opml`, `.xml`) or CSV (`.csv`, columns `domain`, `name`, `country`, "
        f"`language`, `kind`, `timezone`, {', '.join(f'`{kind.key}`' for kind in UrlKind)}; several "
        "addresses in a cell are separated by spaces), relative to the profile."
    )


# --- how -----------------------------------------------------------------------------------------


class Politeness(Section):
    """How the crawler behaves towards every site."""

    user_agent: HeaderText = Field(
        default="aidivide-archive", description="Name sent with every request; say who you are."
    )
    contact: HeaderText | None = Field(
        default=None,
        description="Mail address or web page for site owners, added to the user agent.",
    )
    delay_seconds: Seconds = Field(
        default=1.0, description="Pause between two requests to one host."
    )
    concurrent_per_host: Annotated[int, Field(ge=1, le=16)] = Field(
        default=1, description="Requests to one host at a time."
    )
    obey_robots: bool = Field(default=True, description="Whether robots.txt is obeyed.")
    max_crawl_delay_seconds: Seconds = Field(
        default=30,
        description="A host whose robots.txt asks for a longer Crawl-delay is left out.",
    )
    robots_sitemaps: bool = Field(
        default=True,
        description="Whether sitemaps named in robots.txt are read, for sources that name no "
        "sitemaps themselves.",
    )

    @property
    def header(self) -> str:
        """The User-Agent header: name and contact."""
        return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent


class Limits(Section):
    """Bounds that keep one site or one page from taking everything."""

    max_depth: Annotated[int, Field(ge=0)] = Field(
        default=2, description="Links followed from a seed, hub, feed or sitemap; 0: none."
    )
    pages_per_host: Count = Field(
        default=2000, description="Pages fetched from one host in a crawl."
    )
    sitemaps_per_host: Count = Field(
        default=500, description="Sitemaps fetched from one host in a crawl."
    )
    barren_pages: Count = Field(
        default=50,
        description="Pages of one URL pattern in a row without content that is new on the host, after which "
        "links of that pattern are given up.",
    )
    path_segments: Count = Field(
        default=20, description="Path segments of a link; one with more is not followed."
    )
    path_repeats: Count = Field(
        default=2, description="How often one path segment may stand in a link."
    )
    query_keys: Count = Field(default=8, description="Parameters in the query of a link.")
    links_per_page: Count = Field(
        default=1000, description="Links taken from one page, feed or sitemap."
    )
    body_bytes: Count = Field(
        default=16 * 1024 * 1024, description="Largest body read, before and after decompression."
    )
    document_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        default=10, description="Time one document may take to be read."
    )


class Fetch(Section):
    """How host names become connections."""

    allow_private: tuple[Network, ...] = Field(
        default=(),
        description="Private networks (CIDR) that may be fetched from; otherwise none may.",
    )
    hosts: dict[Host, Address] = Field(
        default={}, description="Fixed addresses of host names, instead of DNS; names without port."
    )
    verify_tls: bool = Field(default=True, description="Whether certificates are verified.")


class Rights(Section):
    """What may be kept and passed on."""

    reserved: Literal["metadata", "text"] = Field(
        default="metadata",
        description="What is kept of a page that reserves its rights against copies (`noarchive`, TDM "
        "reservation, a passed `unavailable_after`): `metadata` and digests alone, or the `text` as well.",
    )
    keep_full_text: bool = Field(
        default=True, description="Whether full texts are kept in the archive."
    )
    export_full_text: bool = Field(
        default=False,
        description="Whether exports carry full texts by default, instead of excerpts.",
    )
    excerpt_words: Annotated[int, Field(ge=0)] = Field(
        default=40,
        description="Words of an excerpt (twice as many characters in scripts without spaces).",
    )
