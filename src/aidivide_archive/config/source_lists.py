"""Lists of outlets in files of their own (OPML, CSV) as `Source` values."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError

from aidivide_archive.config.sections import Source
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.model import UrlKind

if TYPE_CHECKING:
    import tldextract

_TEXT_COLUMNS = ("name", "domain", "country", "language", "kind", "timezone")
_ADDRESS_COLUMNS = tuple(kind.key for kind in UrlKind)


def read_source_list(path: Path, origin: str) -> tuple[Source, ...]:
    """Sources of an OPML or CSV file, one per domain, in order of first appearance.

    Outlines without a feed or page address are folders and skipped. `origin` names the place in
    the profile for messages.

    Raises ConfigError: missing, unreadable, of another kind, or an entry of it is invalid.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        msg = f'{origin} "{path}" cannot be read: {reason}'
        raise ConfigError(msg) from error
    suffix = path.suffix.lower()
    if suffix in {".opml", ".xml"}:
        entries = _opml_entries(content, f"{origin} {path.name}")
    elif suffix == ".csv":
        entries = _csv_entries(content, f"{origin} {path.name}")
    else:
        msg = f'{origin} "{path.name}" is neither .opml, .xml nor .csv'
        raise ConfigError(msg)
    return merge_sources((), (_source(entry, f"{origin} {path.name}") for entry in entries))


def merge_sources(first: Iterable[Source], second: Iterable[Source]) -> tuple[Source, ...]:
    """One source per domain: the earlier keeps its properties and takes over further addresses."""
    merged: dict[str, Source] = {}
    for source in (*first, *second):
        known = merged.get(source.domain)
        if known is None:
            merged[source.domain] = source
            continue
        added = {
            name: tuple(dict.fromkeys((*getattr(known, name), *getattr(source, name))))
            for name in _ADDRESS_COLUMNS
        }
        merged[source.domain] = known.model_copy(update=added)
    return tuple(merged.values())


def _source(entry: tuple[int, dict[str, object]], origin: str) -> Source:
    line, values = entry
    try:
        return Source.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
        reason = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
        msg = f"{origin} line {line}: [{key}] {reason}".replace("\n", " ")
        raise ConfigError(msg) from error


def _opml_entries(content: bytes, origin: str) -> Iterator[tuple[int, dict[str, object]]]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        msg = f"{origin}: not valid XML: {error.msg}"
        raise ConfigError(msg) from error
    for outline in root.iter("outline"):
        feed, page = _http(outline.get("xmlUrl")), _http(outline.get("htmlUrl"))
        domain = _registrable_domain(page or feed or "")
        if not domain:
            continue
        yield (
            int(outline.sourceline or 0),
            {
                "name": (outline.get("title") or outline.get("text") or "").strip() or domain,
                "domain": domain,
                "language": _language(outline.get("language")),
                "feeds": (feed,) if feed else (),
                "hubs": (page,) if page else (),
            },
        )


def _http(value: str | None) -> str | None:
    """The address when it is a web address; OPML also holds mail and `feed:` links."""
    value = (value or "").strip()
    return value if value.startswith(("http://", "https://")) else None


def _language(value: str | None) -> str | None:
    """OPML's language in lower case ("en-us"); None for "unknown" and other words."""
    code = (value or "").strip().lower()
    return code if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", code) else None


def _csv_entries(content: bytes, origin: str) -> Iterator[tuple[int, dict[str, object]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{origin}: not UTF-8 (at byte {error.start})"
        raise ConfigError(msg) from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if "domain" not in (rows.fieldnames or ()):
            msg = f'{origin}: the first line names no column "domain"'
            raise ConfigError(msg)
        for row in rows:
            values: dict[str, object] = {
                name: value for name in _TEXT_COLUMNS if (value := (row.get(name) or "").strip())
            }
            if not values:
                continue
            values.setdefault("name", values.get("domain", ""))
            values |= {name: tuple((row.get(name) or "").split()) for name in _ADDRESS_COLUMNS}
            yield rows.line_num, values
    except csv.Error as error:
        msg = f"{origin} line {rows.line_num}: not valid CSV: {error}"
        raise ConfigError(msg) from error


def _registrable_domain(url: str) -> str:
    """Domain under the public suffix list shipped with tldextract; the host when it has none.

    The list on disk only: reading a profile never uses the network. A port is kept for a host
    that is no name in the public DNS.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    domain = _suffix_list()(host).top_domain_under_public_suffix
    return domain or (f"{host}:{port}" if port else host)


@lru_cache(maxsize=1)
def _suffix_list() -> tldextract.TLDExtract:
    import tldextract  # brings requests with it; most profiles have no list

    return tldextract.TLDExtract(
        cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True
    )
