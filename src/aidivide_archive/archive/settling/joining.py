"""The pages of one article, joined when a run settles: one article, as a reader expects.

Each page is captured and extracted by itself, in any order. What says that it is page 2 of another
address, its AMP form or all of its pages on one (`extract.paging`) is *attached* to that article when
both are there and their headlines fit: its own article goes, its ledger row says why, and the
article shows the pages in order. A part without its article stays what it is by itself. The result
is a function of the extractions: nothing here depends on what was attached before.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from aidivide_archive.archive.documents import derived, full_text, matching
from aidivide_archive.archive.ledger.endings import judge_again
from aidivide_archive.archive.schema import (
    articles,
    captures,
    extractions,
    matches,
    revisions,
    stories,
    story_members,
    urls,
)
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.decode.blocks import line_key
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.extract.paging import MAX_PAGES
from aidivide_archive.model import Outcome, Part, Reason, UrlState
from aidivide_archive.urls import url_id

_REPEATED_CHARS = 20
"""Letters and digits from which a line that an earlier page had is not said again."""
_WHOLE_SHARE = 0.8
"""How much of the first page the page with all on one must have."""
_PREFIX_CHARS = 20
_TITLE_COUNTER = re.compile(
    r"[\s\-–—|:,(（\[]*(?:(?:page|seite|página|pagina|part|teil|第)\s*)?\d{1,3}(?:\s*(?:/|of|von|de)\s*\d{1,3})?\s*[页頁]?[)）\]]?\s*$",
    re.IGNORECASE,
)
_ENDED = (UrlState.DONE.value, UrlState.REJECTED.value, UrlState.DEAD.value)


@dataclass(frozen=True, slots=True)
class Joined:
    """What an article is joined from."""

    urls: tuple[str, ...] = ()
    """Addresses of its pages in order, its own first; one when all stand on one page."""
    text: str | None = field(default=None, repr=False)
    """None: its own alone."""
    missing: tuple[int, ...] = ()
    """Numbers of the pages that are stated and not there."""

    @property
    def suffix(self) -> str:
        """What its version gets; empty for an article of one page."""
        if self.text is None and not self.missing:
            return ""
        words = f"{self.text}\n{self.urls}\n{self.missing}"
        return f"+p{hashlib.sha256(words.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class _Page:
    """The newest extraction of a page that is, or may be, one of several."""

    id: int
    url: str
    site: str
    title: str | None
    text: str = field(repr=False)
    part: Part

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def first_id(self) -> int | None:
        return _number(self.part.first_url)

    @property
    def is_first(self) -> bool:
        return self.part.number == 1 and self.part.first_url is None


@dataclass(frozen=True, slots=True)
class Joining:
    """Everything that was joined."""

    articles: Mapping[int, Joined] = field(default_factory=dict)
    """By the number of the article."""
    sites: frozenset[str] = frozenset()
    """Sites with pages that are parts."""


def join_pages(connection: sa.Connection) -> Joining:
    """Attach parts to their articles and say what those are joined from; writes what differs.

    Cost: a look into a small index; linear in the pages that are parts.
    """
    parts = _parts(connection)
    if not parts:
        return Joining()
    heads = _heads(connection, parts)
    attached = _attached(parts, heads)
    _write_attached(connection, parts, attached)
    by_head: defaultdict[int, list[_Page]] = defaultdict(list)
    for number, head in attached.items():
        by_head[head].append(parts[number])
    joined = {
        number: _joined(head, by_head[number])
        for number, head in sorted(heads.items())
        if number not in attached and (by_head[number] or _expects_more(head))
    }
    return Joining(joined, frozenset(page.site for page in parts.values()))


# --- what belongs together -----------------------------------------------------------------------


def _attached(parts: Mapping[int, _Page], heads: Mapping[int, _Page]) -> dict[int, int]:
    """The number of the article that each attached part belongs to."""
    head_of: dict[int, int] = {}
    for page in parts.values():
        head = heads.get(page.first_id or -1)
        if head is not None and head.is_first and not page.is_first and _fit(page, head):
            head_of[page.id] = head.id
    for head in heads.values():
        whole = parts.get(_number(head.part.whole_url) or -1)
        if whole is not None and _fit(whole, head) and _covers(whole, head):
            head_of.setdefault(whole.id, head.id)
    for page in parts.values():
        if page.part.is_amp and page.id not in head_of:
            target = page.first_id or -1  # itself a page of an article, maybe
            other = parts.get(target) if target in head_of else heads.get(target)
            if other is not None and not other.part.is_amp and _fit(page, other):
                head_of[page.id] = head_of.get(target, target)
    return {number: head for number, head in head_of.items() if head not in head_of}


def _fit(page: _Page, other: _Page) -> bool:
    """Whether two pages may be one article: of one site, with one headline."""
    if page.id == other.id or page.site != other.site:
        return False
    return _titles_fit(page.title, other.title)


def _titles_fit(title: str | None, other: str | None) -> bool:
    """Whether two headlines are one, apart from page numbers; a missing one fits."""
    keys = sorted((_title_key(title), _title_key(other)), key=len)
    if not keys[0]:
        return True
    return keys[0] == keys[1] or (len(keys[0]) >= _PREFIX_CHARS and keys[1].startswith(keys[0]))


def _title_key(title: str | None) -> str:
    return line_key(_TITLE_COUNTER.sub("", title or ""))


def _covers(whole: _Page, head: _Page) -> bool:
    """Whether a page has the text of the first page in it, and so is all of them on one."""
    has = {line_key(line) for line in whole.lines}
    wanted = [line_key(line) for line in head.lines]
    covered_chars = sum(len(key) for key in wanted if key in has)
    return covered_chars >= _WHOLE_SHARE * sum(map(len, wanted)) > 0


# --- the joined text -----------------------------------------------------------------------------


def _expects_more(head: _Page) -> bool:
    return head.part.next_url is not None or (head.part.total or 1) > 1


def _joined(head: _Page, others: Sequence[_Page]) -> Joined:
    wholes = [page for page in others if page.part.number != 1 and _is_whole(page, head)]
    if wholes:
        best = max(wholes, key=lambda page: (len(page.text), page.url))
        return Joined((best.url,), best.text)
    pages = {1: head}
    for page in sorted(others, key=lambda page: page.url):
        if 1 < page.part.number <= MAX_PAGES:
            pages.setdefault(page.part.number, page)
    in_order = [page for _, page in sorted(pages.items())]
    last = max(
        (
            *(page.part.number + (page.part.next_url is not None) for page in in_order),
            *(page.part.total or 1 for page in in_order),
        )
    )
    missing = tuple(n for n in range(2, min(last, MAX_PAGES) + 1) if n not in pages)
    text = "\n".join(_distinct_lines(in_order)) if len(in_order) > 1 else None
    return Joined(tuple(page.url for page in in_order), text, missing)


def _is_whole(page: _Page, head: _Page) -> bool:
    if page.part.is_amp:
        return False
    named = _number(head.part.whole_url) == page.id
    return (named or page.part.number == 0) and _covers(page, head)


def _distinct_lines(pages: Iterable[_Page]) -> Iterable[str]:
    """The lines of the pages in order; a line that every page repeats stands once."""
    seen: set[str] = set()
    for page in pages:
        keys = [line_key(line) for line in page.lines]
        for line, key in zip(page.lines, keys, strict=True):
            if line and (len(key) < _REPEATED_CHARS or key not in seen):
                yield line
        seen.update(keys)


# --- rows ----------------------------------------------------------------------------------------


def _parts(connection: sa.Connection) -> dict[int, _Page]:
    """The newest extraction of every page that is a part, by the page's number; ascending."""
    newest = connection.execute(
        sa.select(extractions.c.id, extractions.c.url_id, extractions.c.version)
        .join_from(extractions, urls, urls.c.id == extractions.c.url_id)
        .join(captures, captures.c.id == extractions.c.capture_id, isouter=True)
        .where(extractions.c.part.isnot(None), urls.c.reason.is_distinct_from(Reason.PURGED.value))
        .order_by(extractions.c.url_id, captures.c.captured_at, extractions.c.id)
    )
    ids = {row.url_id: row.id for row in newest if not derived.is_derived(row.version)}
    shown = _bases(connection, list(ids))  # of an article, the one that it stands on
    pages = _read_pages(connection, {**ids, **shown})
    return {number: page for number, page in pages.items() if page.part != _NO_PART}


_NO_PART = Part(number=1)


def _heads(connection: sa.Connection, parts: Mapping[int, _Page]) -> dict[int, _Page]:
    """The articles that parts belong to or are, by number."""
    wanted = {page.first_id or number for number, page in parts.items()} | parts.keys()
    return _read_pages(connection, _bases(connection, sorted(wanted)))


def _bases(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    """Numbers of the base extractions of those that are articles."""
    return {
        standing.article_id: standing.base_id
        for chunk in chunks(ids)
        for standing in derived.standing_of(connection, chunk)
    }


def _read_pages(connection: sa.Connection, numbers: Mapping[int, int]) -> dict[int, _Page]:
    pages: dict[int, _Page] = {}
    wanted = sorted(numbers.values())
    for chunk in chunks(wanted):
        rows = connection.execute(
            sa.select(
                extractions.c.url_id,
                extractions.c.title,
                extractions.c.text,
                extractions.c.fields,
                urls.c.url,
                urls.c.site,
            )
            .join_from(extractions, urls, urls.c.id == extractions.c.url_id)
            .where(extractions.c.id.in_(chunk))
        )
        for row in rows:
            stated = row.fields.get("part")
            pages[row.url_id] = _Page(
                id=row.url_id,
                url=row.url,
                site=row.site,
                title=row.title,
                text=row.text,
                part=Part(**stated) if stated else _NO_PART,
            )
    return dict(sorted(pages.items()))


def _write_attached(
    connection: sa.Connection, parts: Mapping[int, _Page], attached: Mapping[int, int]
) -> None:
    numbers = sorted(attached)
    for chunk in chunks(numbers):
        for number in connection.scalars(
            sa.select(articles.c.id).where(articles.c.id.in_(chunk)).order_by(articles.c.id)
        ).all():
            _withdraw(connection, number)
        ended = connection.execute(
            sa.select(urls.c.id, urls.c.state, urls.c.reason, urls.c.detail).where(
                urls.c.id.in_(chunk), urls.c.state.in_(_ENDED)
            )
        ).all()
        for row in ended:
            outcome = _outcome(parts[row.id])
            if (row.state, row.reason, row.detail) != (
                outcome.state,
                outcome.reason,
                outcome.detail,
            ):
                judge_again(connection, outcome, urls.c.id == row.id)


def _outcome(page: _Page) -> Outcome:
    """How a page ends that is part of an article at another address."""
    part = page.part
    reason = Reason.AMP if part.is_amp else Reason.CONTINUATION
    what = "AMP form" if part.is_amp else f"page {part.number}" if part.number > 0 else "all pages"
    whose = part.first_url or "an article"
    return Outcome(state=UrlState.REJECTED, reason=reason, detail=f"{what} of {whose}")


def _withdraw(connection: sa.Connection, number: int) -> None:
    """Take a part's own article out; its captures and extractions stay, and judgements on it."""
    full_text.write(connection, gone=full_text.indexed(connection, [number]))
    matching.drop_signatures(connection, [number])
    connection.execute(
        sa.delete(matches).where(sa.or_(matches.c.a_id == number, matches.c.b_id == number))
    )
    its_stories = sa.select(stories.c.id).where(stories.c.origin_id == number)
    connection.execute(
        sa.delete(story_members).where(
            sa.or_(story_members.c.article_id == number, story_members.c.story_id.in_(its_stories))
        )
    )
    connection.execute(sa.delete(stories).where(stories.c.origin_id == number))
    shown = connection.scalar(sa.select(articles.c.extraction_id).where(articles.c.id == number))
    connection.execute(sa.delete(revisions).where(revisions.c.article_id == number))
    connection.execute(sa.delete(articles).where(articles.c.id == number))
    if shown is not None:
        derived.drop_derived(connection, shown)


def _number(url: str | None) -> int | None:
    if url is None:
        return None
    try:
        return url_id(url)
    except InvalidURLError:
        return None
