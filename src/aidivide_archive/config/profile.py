"""A whole event profile, and the pure questions other modules ask it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator

from aidivide_archive.config.sections import (
    Event,
    Exclude,
    Fetch,
    Group,
    Limits,
    NearMiss,
    Politeness,
    RelevanceRules,
    Rights,
    Section,
    Source,
    SourceList,
    Window,
)
from aidivide_archive.config.values import normal_host
from aidivide_archive.exceptions import ConfigError


class Profile(Section):
    """One event: what it is, what belongs to it, where to look and how to behave."""

    schema_version: Literal[1] = Field(alias="schema", description="Version of this format.")
    event: Event = Field(description="What is archived.")
    window: Window = Field(default=Window(), description="Publication days worth keeping.")
    relevance: RelevanceRules = Field(default=RelevanceRules(), description="How points decide.")
    groups: tuple[Group, ...] = Field(
        default=(), alias="group", description="Concepts that give points."
    )
    exclude: Exclude = Field(default=Exclude(), description="Phrases that reject a page.")
    near_misses: tuple[NearMiss, ...] = Field(
        default=(), alias="near_miss", description="Look-alikes, for people and tests."
    )
    sources: tuple[Source, ...] = Field(default=(), alias="source", description="Outlets.")
    source_lists: tuple[SourceList, ...] = Field(
        default=(), alias="source_list", description="Files with further outlets."
    )
    politeness: Politeness = Field(default=Politeness(), description="Behaviour towards sites.")
    limits: Limits = Field(default=Limits(), description="Bounds.")
    fetch: Fetch = Field(default=Fetch(), description="How host names become connections.")
    rights: Rights = Field(default=Rights(), description="What may be kept and passed on.")

    @model_validator(mode="after")
    def _names_fit(self) -> Profile:
        names = [group.name for group in self.groups]
        _refuse_twice("group", "name", names)
        _refuse_twice("source", "domain", [s.domain for s in self.sources])
        wanted = (name for needed in self.relevance.required for name in needed)
        for name in (name.removeprefix("!") for name in wanted):
            if name not in names:
                close = get_close_matches(name, names, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                msg = f"[relevance.required] no [[group]] is named {name!r}{hint}"
                raise ValueError(msg)
        return self

    def to_json(self) -> str:
        """Canonical text: sorted keys, no spaces, every default written out; ends without newline.

        Self-contained: sources from lists stand in it, so that no file is needed to read it.
        """
        value = self.model_dump(mode="json", by_alias=True)
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """Read what `to_json` wrote.

        Raises ConfigError when it is not such a text.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            msg = f"stored event profile: [{where}] {first['msg']}"
            raise ConfigError(msg) from error

    @cached_property
    def sha256(self) -> str:
        """Hex digest of `to_json` in UTF-8: equal profiles, equal digests."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @cached_property
    def window_utc(self) -> tuple[datetime | None, datetime | None]:
        """The window as [start, end) in UTC; None where it has no limit."""
        last = self.window.last_day
        end = last + timedelta(days=1) if last and last < date.max else None
        return self._midnight(self.window.first_day), self._midnight(end)

    def _midnight(self, day: date | None) -> datetime | None:
        if day is None:
            return None
        local = datetime.combine(day, time(), ZoneInfo(self.event.timezone))
        try:
            return local.astimezone(UTC)
        except OverflowError:  # 0001-01-01 east of Greenwich: no limit that matters
            return None

    @cached_property
    def _source_by_host(self) -> dict[str, Source]:
        by_host: dict[str, Source] = {}
        for source in self.sources:
            by_host.setdefault(source.domain, source)
        for source in self.sources:
            for host in source.hosts:
                by_host.setdefault(host, source)
        return by_host

    def source_for(self, host: str) -> Source | None:
        """The source a host (with or without port) belongs to; the longest domain wins.

        A domain with a port covers that port only; one without covers every port.
        """
        name, port = _split_port(normal_host(host))
        labels = name.split(".")
        is_address = name.startswith("[") or labels[-1].isdigit()
        suffixes = [name] if is_address else [".".join(labels[i:]) for i in range(len(labels))]
        for suffix in suffixes:
            for key in (suffix + port, suffix):
                if source := self._source_by_host.get(key):
                    return source
        return None

    def allows(self, url: str) -> bool:
        """Whether a link may be followed: on a source's host, its path allowed and not denied.

        Addresses the source names itself (seeds, hubs, feeds, sitemaps) always may.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            port = f":{parts.port}" if parts.port is not None else ""
        except ValueError:
            return False
        if parts.scheme.lower() not in {"http", "https"} or not host:
            return False
        source = self.source_for((f"[{host}]" if ":" in host else host) + port)
        if source is None:
            return url in self._named_urls
        if url in self._named_urls:
            return True
        path = parts.path or "/"
        if any(_compiled(pattern).search(path) for pattern in source.deny):
            return False
        return not source.allow or any(_compiled(rule).search(path) for rule in source.allow)

    @cached_property
    def _named_urls(self) -> frozenset[str]:
        return frozenset(url for source in self.sources for _, url in source.addresses())


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _split_port(host: str) -> tuple[str, str]:
    """("example.org", ":8000"); the port part is empty when there is none."""
    name, colon, port = host.rpartition(":")
    return (name, colon + port) if colon and port.isdigit() else (host, "")


def _refuse_twice(table: str, key: str, values: list[str]) -> None:
    value, count = next(iter(Counter(values).most_common(1)), ("", 0))
    if count > 1:
        msg = f"[{table}.{key}] {value!r} stands there twice"
        raise ValueError(msg)
