"""What one crawl holds: profile, archive, ingest service, counters. Made before Scrapy starts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from aidivide_archive.addresses import AddressPolicy
from aidivide_archive.archive import Archive, Location
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.ingest import admission
from aidivide_archive.ingest.service import Ingest
from aidivide_archive.model import Document, LeasedUrl, Stored, UrlKind, UrlState
from aidivide_archive.politeness import HostPace
from aidivide_archive.scrapy.runs import begin_run
from aidivide_archive.workers import Starter


@dataclass
class Session:
    """Opened by the crawl command (or the spider); closed by the extension `SessionLifecycle`."""

    profile: Profile
    archive: Archive
    ingest: Ingest
    policy: AddressPolicy
    counts: Counter[str] = field(default_factory=Counter)
    """Documents by "state" and "reason", stored articles by what happened to them."""
    paused: dict[str, datetime] = field(default_factory=dict)
    """Hosts that asked for quiet (Retry-After), and until when."""
    refused_names: dict[str, str] = field(default_factory=dict)
    """Host names that led to refused addresses only, and why."""
    paces: dict[str, HostPace] = field(default_factory=dict)
    ahead: dict[str, set[int]] = field(default_factory=dict)
    """URLs by host that were leased and whose documents are not stored yet; no set is empty."""
    ahead_count: int = 0
    """How many they are in all."""
    left: int = 0
    """URLs that wait longer than this run: Retry-After, an unreachable robots.txt."""
    finish_reason: str | None = None
    failure: ArchiveError | None = None
    """What ended the crawl, or kept its run from being closed."""
    is_closed: bool = False

    @classmethod
    def open(
        cls,
        profile: Profile,
        location: Location,
        *,
        revisit: str = "none",
        wait: bool = False,
        starter: Starter | None = None,
    ) -> Session:
        """Start a run: sources entered, feeds, sitemaps and hubs queued. Raises ArchiveError.

        `starter`: of worker processes, begun with `ingest.PRELOAD`; it is used up, also by a failure.
        """
        archive, ingest = begin_run("crawl", location, profile, wait=wait, starter=starter)
        try:
            entries = admission.of_profile(profile)
            archive.discover(entries).result()
            listings = [entry.id for entry in entries if entry.kind is not UrlKind.PAGE]
            archive.requeue_discovery(listings).result()
            if revisit == "all":
                archive.requeue_articles().result()
        except BaseException:
            ingest.close()
            archive.close()
            raise
        policy = AddressPolicy(
            allow_private=tuple(profile.fetch.allow_private), hosts=profile.fetch.hosts
        )
        return cls(profile, archive, ingest, policy)

    def pace(self, host: str) -> HostPace:
        """The pace of a host; lives as long as the crawl."""
        known = self.paces.get(host)
        if known is None:
            known = self.paces[host] = HostPace(self.profile.politeness.delay_seconds)
        return known

    def sent_ahead(self, leased: LeasedUrl) -> None:
        """A URL was handed out: its document is to come."""
        of_host = self.ahead.setdefault(leased.host, set())
        if leased.id not in of_host:
            of_host.add(leased.id)
            self.ahead_count += 1

    def came_back(self, host: str, url_id: int) -> None:
        """Nothing more is to come of a URL in this run."""
        of_host = self.ahead.get(host, set())
        if url_id in of_host:
            of_host.remove(url_id)
            self.ahead_count -= 1
            if not of_host:
                del self.ahead[host]

    def count(self, document: Document, stored: Stored) -> None:
        self.counts[document.outcome.state] += 1
        self.counts[f"reason/{document.outcome.reason}"] += 1
        self.counts[f"stored/{stored}"] += 1
        if document.kind is not UrlKind.PAGE and document.outcome.state is not UrlState.DONE:
            self.counts["sources_down"] += 1

    def abandon(self) -> None:
        """Let go of what a crawl that ended without closing still holds: workers, archive."""
        if not self.is_closed:
            self.is_closed = True
            self.ingest.close()
            self.archive.abandon()

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 3 finished but part failed, 130 interrupted (docs/for-engineers.md)."""
        if self.failure is not None:
            return 1
        if self.finish_reason == "shutdown":
            return 130
        if self.finish_reason != "finished":
            return 1
        failed = self.counts[UrlState.FAILED] + self.counts[UrlState.DEAD]
        return 3 if failed or self.left or self.counts["sources_down"] else 0
