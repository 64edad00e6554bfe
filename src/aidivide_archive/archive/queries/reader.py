"""`Reader`: the one door to reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from aidivide_archive.archive.queries import (
    article_rows,
    coverage,
    details,
    listings,
    overview,
    searching,
)
from aidivide_archive.archive.queries import provenance as sources
from aidivide_archive.archive.queries import selection as selecting
from aidivide_archive.archive.queries.coverage import RevisedArticle, SharedStory
from aidivide_archive.archive.queries.details import ArticleDetail, StoryDetail
from aidivide_archive.archive.queries.filters import Filters
from aidivide_archive.archive.queries.frames import dataframe
from aidivide_archive.archive.queries.overview import Status
from aidivide_archive.archive.queries.provenance import Provenance
from aidivide_archive.archive.queries.rows import Row
from aidivide_archive.archive.queries.searching import Found, Search
from aidivide_archive.archive.queries.selection import Selected, Selection
from aidivide_archive.archive.schema import articles, events
from aidivide_archive.archive.storage.engine import read_engine, unreadable
from aidivide_archive.archive.storage.location import Location, Place
from aidivide_archive.exceptions import ConfigError, InvalidURLError, StoreError
from aidivide_archive.fields import SETS
from aidivide_archive.urls import parse_id, site, url_id

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class Reader:
    """An archive opened for reading: one snapshot, from the first question to the end. A context manager.

    `place`: its location or directory; None: as the commands choose (environment, else ./archive). Entering raises MissingArchiveError, SchemaVersionError or StoreError; every question may raise StoreError.
    Iterators are to be used up, or dropped, inside the context.
    """

    def __init__(self, place: Place | None = None) -> None:
        self.location = Location.at(place)

    def __enter__(self) -> Self:
        self._engine = read_engine(self.location)
        try:
            options = {} if self.location.is_sqlite else {"isolation_level": "REPEATABLE READ"}
            self._connection = self._engine.connect().execution_options(**options)
        except DBAPIError as error:
            self._engine.dispose()
            raise self._failed(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._engine.dispose()

    # --- sets ------------------------------------------------------------------------------------

    def select(self, selection: Selection) -> Selected:
        """Which articles a set holds, in the order of publication, and why the other URLs are not in it.

        Raises ConfigError for a filter or a preference with a value the archive does not know.
        """
        return self._ask(lambda c: selecting.select(c, selection))

    def rows(self, selected: Selected, *, rights: bool = False) -> Iterator[Row]:
        """Article rows of a selection, in its order; memory does not grow with their number.

        `rights`: with a further field of that name, `article_rows.iter_selected` says what it holds.
        """
        return self._iterate(lambda c: article_rows.iter_selected(c, selected, rights=rights))

    def texts_held(self, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
        """Every text held of some articles, earlier versions too: by number of the id, by SHA-256."""
        return self._ask(lambda c: article_rows.texts_of(c, numbers))

    def articles(
        self,
        *,
        event: str | None = None,
        query: str | None = None,
        filters: Filters | None = None,
    ) -> Iterator[Row]:
        """Article rows by publication; `event`: only those it kept, with its score.

        `query` and `filters` narrow them as in `search`. Raises ConfigError for a bad one.
        """
        narrowed = filters or Filters()
        narrowed = replace(narrowed, event=event or narrowed.event)
        return self.rows(self.select(Selection(query=query, filters=narrowed)))

    def select_ids(self, query: str | None, filters: Filters | None = None) -> tuple[int, ...]:
        """Ids of the articles that a search would find, all of them, ascending. Raises ConfigError."""
        return self._ask(
            lambda c: tuple(
                c.scalars(
                    sa.select(articles.c.id)
                    .where(*searching.matching(c, query, filters))
                    .order_by(articles.c.id)
                )
            )
        )

    def matches(
        self,
        *,
        all: bool = False,  # noqa: A002  # the option's name
        of: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Match rows; `all`: with template news, which is no copy; `of`: of an article's id or URL."""
        number = None if of is None else number_of(of, "a-")
        return self._iterate(
            lambda c: listings.iter_matches(c, everything=all, number=number, limit=limit)
        )

    def stories(self, *, all: bool = False) -> Iterator[Row]:  # noqa: A002  # the option's name
        """Story rows, one a member; `all`: with stories of one."""
        return self._iterate(lambda c: listings.iter_stories(c, everything=all))

    def ledger(self) -> Iterator[Row]:
        """`url, state, reason, detail, kind` of every URL seen."""
        return self._iterate(listings.iter_ledger)

    def to_dataframe(
        self,
        what: str = "articles",
        *,
        event: str | None = None,
        query: str | None = None,
        filters: Filters | None = None,
        all: bool = False,  # noqa: A002  # the option's name
    ) -> pd.DataFrame:
        """A whole set ("articles", "matches", "stories" or "ledger") as a pandas DataFrame, typed as its fields are.

        The options are those of the method of that name. Raises ConfigError without pandas, for an unknown set, and
        for options that it does not have.
        """
        if what not in SETS:
            raise ConfigError(f"no set {what!r}; there are: {', '.join(SETS)}")
        if what != "articles" and (event or query or filters):
            raise ConfigError(f"event, query and filters choose among articles, not {what}")
        if all and what not in ("matches", "stories"):
            raise ConfigError(f"all adds to matches and stories: {what} are always all there")
        rows: dict[str, Callable[[], Iterator[Row]]] = {
            "articles": lambda: self.articles(event=event, query=query, filters=filters),
            "matches": lambda: self.matches(all=all),
            "stories": lambda: self.stories(all=all),
            "ledger": self.ledger,
        }
        return dataframe(rows[what](), SETS[what])

    def totals(self, what: str, *, all: bool = False) -> tuple[int, Mapping[str, int]]:  # noqa: A002
        """Rows of "matches", "stories" or "ledger", and how many of them a list leaves out, by reason."""
        return self._ask(lambda c: sources.totals(c, what, everything=all))

    def provenance(self, *, stages: bool = True) -> Provenance:
        """When the archive last changed, and what made its rows; without `stages` no row is looked at."""
        return self._ask(lambda c: sources.provenance(c, stages=stages))

    # --- overviews -------------------------------------------------------------------------------

    def status(self) -> Status:
        return self._ask(overview.status)

    def story_list(self, *, limit: int | None = None, all: bool = False) -> list[Row]:  # noqa: A002
        """One row a story, the largest first."""
        return self._ask(lambda c: overview.story_list(c, limit=limit, everything=all))

    def events(self) -> dict[str, str]:
        """Title of each event that was crawled for, by id."""

        def ask(connection: sa.Connection) -> dict[str, str]:
            rows = connection.execute(sa.select(events.c.id, events.c.title))
            return dict(sorted((row.id, row.title) for row in rows))

        return self._ask(ask)

    def profile_json(self, event: str) -> str | None:
        """The profile an event was last written with, as `Profile.from_json` reads it; None: no such event."""
        statement = sa.select(events.c.profile).where(events.c.id == event)
        return self._ask(lambda c: c.scalar(statement))

    def search(self, asked: Search) -> Found:
        """Articles by words and filters, one page. Raises ConfigError for what cannot be read."""
        return self._ask(lambda c: searching.search(c, asked))

    # --- the report ------------------------------------------------------------------------------

    def coverage(self, filters: Filters) -> Iterator[Row]:
        """Articles by publication, without their texts (COVERAGE_FIELDS). Raises ConfigError for a bad filter."""
        return self._iterate(lambda c: coverage.iter_coverage(c, filters))

    def shared_stories(
        self, filters: Filters, *, limit: int, members: int
    ) -> tuple[int, tuple[SharedStory, ...]]:
        """The number of stories of two or more articles, and the largest of them."""
        return self._ask(
            lambda c: coverage.shared_stories(c, filters, limit=limit, members=members)
        )

    def revised_articles(
        self, filters: Filters, *, limit: int, versions: int
    ) -> tuple[int, tuple[RevisedArticle, ...]]:
        """The number of articles that their publishers changed, and the first of them."""
        return self._ask(
            lambda c: coverage.revised_articles(c, filters, limit=limit, versions=versions)
        )

    def texts(self, ids: Sequence[str]) -> dict[str, str]:
        """Texts of articles by id; raises ConfigError for what is no id."""
        return self._ask(lambda c: coverage.texts(c, ids))

    # --- one thing -------------------------------------------------------------------------------

    def article(self, reference: str) -> ArticleDetail | None:
        """A document by id or URL; None when the archive has never seen it. Raises ConfigError."""
        number = number_of(reference, "a-")
        return self._ask(lambda c: details.article(c, number))

    def story(self, reference: str) -> StoryDetail | None:
        """A story by its id, a former id, or an article's id or URL; None: no such. Raises ConfigError."""
        number = number_of(reference, "s-", "a-")
        return self._ask(lambda c: details.story(c, number))

    def clutter(self, reference: str) -> tuple[str, list[Row]]:
        """The site of a domain or URL, and what it repeats; raises ConfigError when no article is of it."""
        try:
            name = site(reference.strip())
        except InvalidURLError as error:
            raise ConfigError(str(error)) from None
        if not self._ask(lambda c: details.has_site(c, name)):
            raise ConfigError(f"no article of {name} is in this archive")
        return name, self._ask(lambda c: details.clutter(c, name))

    def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """The answer to a question that another module of the archive asks. Raises StoreError."""
        return self._ask(question)

    def each(self, question: Callable[[sa.Connection], Iterator[T]]) -> Iterator[T]:
        """The answers to such a question, one by one. Raises StoreError."""
        return self._iterate(question)

    # --- inside ----------------------------------------------------------------------------------

    def _ask(self, question: Callable[[sa.Connection], T]) -> T:
        try:
            return question(self._connection)
        except DBAPIError as error:
            raise self._failed(error) from error

    def _iterate(self, rows: Callable[[sa.Connection], Iterator[T]]) -> Iterator[T]:
        try:
            yield from rows(self._connection)
        except DBAPIError as error:
            raise self._failed(error) from error

    def _failed(self, error: DBAPIError) -> StoreError:
        return StoreError(unreadable(error, self.location))


def number_of(reference: str, *prefixes: str) -> int:
    """The number behind an id with one of the prefixes, or behind a URL. Raises ConfigError."""
    text = reference.strip()
    if text.lower().startswith(("http://", "https://")):
        try:
            return url_id(text)
        except InvalidURLError as error:
            raise ConfigError(str(error)) from None
    number = parse_id(text)
    if not text.lower().startswith(prefixes):
        command = "story" if text.lower().startswith("s-") else "show"
        raise ConfigError(f"{text} is another kind of id: try `aidivide {command} {text}`")
    return number
