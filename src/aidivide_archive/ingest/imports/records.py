"""Ready articles: what a line of a JSONL file may hold, and the document it becomes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aidivide_archive.config import Profile
from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.ingest.imports.sources import Unusable
from aidivide_archive.metadata.dates import local_day
from aidivide_archive.model import (
    Claim,
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    RelevanceDecision,
    TimeValue,
    UrlState,
)
from aidivide_archive.relevance import judge
from aidivide_archive.similarity import load_permutations, sign
from aidivide_archive.urls import canonical_url, url_id
from aidivide_archive.words import storable

IMPORT_VERSION = "import/1"
"""The version of the extraction of a ready article: there was nothing to extract."""


class ArticleRecord(BaseModel):
    """One ready article: a line of a JSONL file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Address of the article; its id is made from it.")
    title: str = Field(description="Headline.")
    text: str = Field(description="Clean text, paragraphs separated by newlines.")
    published_at: str | None = Field(
        default=None,
        description="ISO 8601 time with offset (without one: UTC), or a day: then a 24 h interval.",
    )
    modified_at: str | None = Field(default=None, description="ISO 8601, as published_at.")
    authors: tuple[str, ...] = Field(default=(), description="People.")
    language: str | None = Field(default=None, description="BCP 47.")
    site: str | None = Field(
        default=None, description="Accepted for convenience; the site is taken from the URL."
    )


def article_schema() -> dict[str, Any]:
    """JSON Schema of one line of an articles file."""
    return ArticleRecord.model_json_schema()


def article_document(record: ArticleRecord, profile: Profile | None, now: datetime) -> Document:
    """Make the document of a ready article; judged only with a profile. Raises ValueError on a bad time."""
    url = canonical_url(record.url)
    text = _clean(record.text)
    metadata = _metadata(record)
    extraction = Extraction(
        version=IMPORT_VERSION,
        page_kind=PageKind.ARTICLE,
        text=text,
        metadata=metadata,
        encoding_source="import",
        mode="import",
    )
    outcome = Outcome(state=UrlState.DONE, reason=Reason.IMPORTED)
    relevance = None
    if profile is not None:
        relevance = judge(
            profile,
            title=metadata.title,
            text=text,
            published=metadata.published,
            language=metadata.language,
        )
        rejected = relevance.decision is RelevanceDecision.REJECT
        state = UrlState.REJECTED if rejected else UrlState.DONE
        outcome = Outcome(state=state, reason=relevance.reason)
    return Document(
        url_id=url_id(url),
        url=url,
        outcome=outcome,
        finished_at=now,
        extraction=extraction,
        relevance=relevance,
        signature=sign(text),
    )


def _metadata(record: ArticleRecord) -> Metadata:
    published = _time(record.published_at)
    modified = _time(record.modified_at)
    claims = [
        Claim(
            field=name,
            value=time.start.isoformat(),
            source="import",
            confidence=1.0,
            chosen=True,
            time=time,
        )
        for name, time in (("published", published), ("modified", modified))
        if time is not None
    ]
    return Metadata(
        title=_clean(record.title) or None,
        authors=tuple(_clean(name) for name in record.authors),
        published=published,
        published_source="import" if published else None,
        modified=modified,
        language=record.language,
        claims=tuple(claims),
    )


def _time(raw: str | None) -> TimeValue | None:
    """An interval of a day, or of a second. Raises ValueError."""
    if not raw:
        return None
    if len(raw) == len("2025-07-27"):
        day = date.fromisoformat(raw)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        length, offset, precision, local = timedelta(days=1), None, "day", day
    else:
        moment = datetime.fromisoformat(raw)
        shift = moment.utcoffset()
        offset = None if shift is None else int(shift.total_seconds() // 60)
        start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        length, precision = timedelta(seconds=1), "second"
        local = local_day(start, offset, UTC)
    return TimeValue(
        start=start,
        end=start + length,
        raw=raw,
        offset_minutes=offset,
        precision=precision,
        local_day=local,
    )


def _clean(text: str) -> str:
    """A storable text with line feeds only, and none round it."""
    return storable(text).replace("\r\n", "\n").strip()


# --- inside a worker -----------------------------------------------------------------------------

_profile: Profile | None = None


def start(profile_json: str) -> None:
    """Load what the documents need; with an empty `profile_json` they are not judged."""
    global _profile
    load_permutations()
    _profile = Profile.from_json(profile_json) if profile_json else None


def documents(lines: list[tuple[int, str]], path: str) -> list[Document | Unusable]:
    """Documents of a batch of numbered lines, in their order."""
    now = datetime.now(UTC)
    return [_document(line, f"{path}: line {number}", now) for number, line in lines]


def _document(line: str, where: str, now: datetime) -> Document | Unusable:
    try:
        return article_document(ArticleRecord.model_validate_json(line), _profile, now)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        return Unusable(f"{where}: {key + ': ' if key else ''}{first['msg']}")
    except (ArchiveError, ValueError) as error:
        return Unusable(f"{where}: {error}")
