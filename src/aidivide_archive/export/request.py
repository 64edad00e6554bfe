"""What an export is asked for: which rows, chosen how, for whom. The options of the command and the manifest say the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from aidivide_archive.archive.queries import Filters, Prefer, Selection
from aidivide_archive.exceptions import OptionsError
from aidivide_archive.export.registry import OWNERS
from aidivide_archive.fields import SETS

ARTICLES = "articles"


class Dedup(StrEnum):
    """Which of the articles that are one text are in a set."""

    ALL = "all"  # each, labelled with story and role
    UNIQUE = "unique"  # one a story


class Purpose(StrEnum):
    """For whom a set is made."""

    OWN = "own"
    SHARING = "sharing"

    @property
    def words(self) -> str:
        """As the manifest says it."""
        return "own use" if self is Purpose.OWN else "sharing"

    @property
    def notice(self) -> str:
        """What a reader of the set may do with it."""
        if self is Purpose.OWN:
            return f"{OWNERS} This set is for the use of whoever made it; for passing on, make one with --for sharing."
        return (
            f"{OWNERS} Those that may not be passed on are left out: link, digest and an excerpt stand for them, and "
            "`aidivide rehydrate` rebuilds them from one's own archive."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The rows that are asked for."""

    what: str = ARTICLES
    """A key of `fields.SETS`: articles, matches, stories or ledger."""
    query: str | None = None
    """Only articles that a search for these words finds; None: no condition."""
    filters: Filters = field(default_factory=Filters)
    dedup: str = Dedup.ALL.value
    prefer: str | None = None
    """With Dedup.UNIQUE, which article stands for its story: a value of Prefer, "outlets:NAME,NAME" with names of the
    profile or domains, the best first; None: the origin."""
    weights: bool = False
    """A column that sums to 1 in each story."""
    purpose: str = Purpose.OWN.value
    everything: bool = False
    """Matches that are template news, stories of one article."""

    @property
    def for_sharing(self) -> bool:
        return self.purpose == Purpose.SHARING

    def check(self) -> None:
        """Raise OptionsError for what does not go together."""
        _check_choice("what", self.what, SETS)
        _check_choice("--dedup", self.dedup, tuple(Dedup))
        _check_choice("--for", self.purpose, tuple(Purpose))
        is_narrowed = self.filters != Filters()
        if self.what != ARTICLES:
            if self.query or is_narrowed or self.dedup != Dedup.ALL or self.weights:
                given = "--event and the other filters" if is_narrowed else "these options"
                raise OptionsError(f"{given} are for articles: other sets span the archive")
            if self.for_sharing:
                raise OptionsError("--for sharing is for articles: the other sets hold no texts")
        if self.prefer is not None and self.dedup != Dedup.UNIQUE:
            raise OptionsError("--prefer chooses among copies: add --dedup unique")
        self.preference()
        if self.weights and self.dedup == Dedup.UNIQUE:
            raise OptionsError("--weights is for --dedup all: one article a story weighs 1")

    def preference(self) -> tuple[Prefer, tuple[str, ...]]:
        """What `prefer` says, and the outlets it names. Raises OptionsError."""
        name, _, listed = (self.prefer or Prefer.ORIGIN).partition(":")
        outlets = tuple(stripped for part in listed.split(",") if (stripped := part.strip()))
        if name not in tuple(Prefer) or (name == Prefer.OUTLETS) != bool(outlets):
            raise OptionsError(
                f"--prefer {self.prefer!r}: write origin, earliest, longest, or outlets:NAME,NAME"
            )
        return Prefer(name), outlets

    def selection(self) -> Selection:
        """The choice of articles, as a reader takes it."""
        prefer, outlets = self.preference()
        return Selection(
            query=self.query,
            filters=self.filters,
            unique=self.dedup == Dedup.UNIQUE,
            prefer=prefer,
            outlets=outlets,
        )

    def in_manifest(self) -> dict[str, Any]:
        """`query`, `filters`, `policy` and `for`, as the manifest repeats them."""
        policy: dict[str, Any] = {"dedup": self.dedup, "weights": self.weights}
        if self.dedup == Dedup.UNIQUE:
            prefer, outlets = self.preference()
            policy["prefer"] = prefer.value
            if outlets:
                policy["outlets"] = list(outlets)
        return {
            "query": self.query,
            "filters": _stated(asdict(self.filters)),
            "policy": policy,
            "for": Purpose(self.purpose).words,
        }


def _stated(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that are set; times as ISO 8601."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in filters.items()
        if value not in (None, ())
    }


def _check_choice(option: str, word: str, choices: Collection[str]) -> None:
    if word not in choices:
        raise OptionsError(f"{option} {word!r}: write one of {', '.join(choices)}")
