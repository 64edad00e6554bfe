"""The options that narrow a question to some articles; the same for every command that takes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import Filters

F = TypeVar("F", bound=Callable[..., Any])

_MANY = (
    ("outlets", "--outlet", "NAME", "Of this outlet, as the profile names it."),
    ("sites", "--site", "DOMAIN", "Of this site."),
    ("countries", "--country", "CODE", "Of outlets of this country (CN, FR, …)."),
    ("languages", "--language", "CODE", "In this language (en, zh, …)."),
    ("stories", "--story", "ID", "Of this story."),
    ("roles", "--role", "ROLE", "With this role in its story (origin, copy, …)."),
    ("relevance", "--relevance", "DECISION", "Judged so: keep or review."),
    ("sources", "--source", "URL|CHANNEL", "Discovered by this feed, page, or channel (sitemap)."),
)
_ONE = (
    ("since", "--since", "DATE", "Published on or after 2025-07-27 (or month, or time; UTC)."),
    ("until", "--until", "DATE", "Published on or before."),
    ("min_score", "--min-score", "POINTS", "With at least these points of relevance."),
    ("event", "--event", "ID", "Kept for this event."),
)
FILTER_NAMES = tuple(name for name, *_ in (*_MANY, *_ONE))


def filter_options(function: F) -> F:
    """Add the options to a command; it is called with `filters`, a `queries.Filters`.

    What can be given several times stands for alternatives. Bad values raise ConfigError when the command starts.
    """

    @wraps(function)
    def wrapped(*args: Any, **values: Any) -> Any:
        chosen = {name: values.pop(name) for name in FILTER_NAMES}
        return function(*args, filters=_filters(chosen), **values)

    for name, flag, shape, words in reversed(_ONE):
        kind = float if name == "min_score" else str
        wrapped = click.option(flag, name, metavar=shape, type=kind, help=words)(wrapped)
    for name, flag, shape, words in reversed(_MANY):
        wrapped = click.option(flag, name, metavar=shape, multiple=True, help=words)(wrapped)
    return wrapped  # type: ignore[return-value]


def _filters(values: dict[str, Any]) -> Filters:
    from aidivide_archive.archive.queries.filters import Filters, moment

    since, until = values.pop("since"), values.pop("until")
    return Filters(
        since=None if since is None else moment(since),
        until=None if until is None else moment(until, end=True),
        **values,
    )
