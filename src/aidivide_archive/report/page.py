"""The report as one HTML page: Jinja2 templates of this package, escaping on, one style sheet named by its hash."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from jinja2 import Environment, PackageLoader, StrictUndefined

from aidivide_archive import display
from aidivide_archive.archive.queries import Row
from aidivide_archive.evidence import Evidence, from_json_list
from aidivide_archive.report import content, places, tallies, timeline, times, words
from aidivide_archive.report.content import Report
from aidivide_archive.report.visible import safe_href, visible, visible_lines
from aidivide_archive.words import UNSPACED_LANGUAGES


def render(report: Report) -> bytes:
    """The page in UTF-8; the same report gives the same bytes."""
    css = _style()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    template = _environment().get_template("report.html.j2")
    first, last = content.days(report)
    text = template.render(
        report=report,
        css=css,
        css_hash=digest,
        span=times.days_between(first, last),
        days=content.articles_by_day(report.articles),
        stories_of=_drawn_stories(report),
        software=_software(),
    )
    return text.encode("utf-8", "replace")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("aidivide_archive.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "visible": visible,
        "visible_lines": visible_lines,
        "number": _number,
        "percent": _percent,
        "day": times.shown_day,
        "published": times.published,
        "length_words": _length,
        "publication_day": times.publication_day,
        "clock": times.clock,
        "moment": _moment,
        "delay": display.delay,
        "country": places.country_name,
        "language": places.language_name,
        "outlet": display.outlet_name,
        "ranked": tallies.ranked,
        "role": lambda row: words.role_words(row["role"], _evidence(row), _names(row)),
        "reasons": lambda row: words.reason_words(_evidence(row), _names(row)),
        "certainty": words.certainty,
        "kind": timeline.kind_of,
        "short_role": words.short_role,
        "href": safe_href,
        "exact_language": content.exact_language,
        "plural": _plural,
    }
    environment.globals |= {
        "language_name": places.language_name,
        "country_name": places.country_name,
    }
    return environment


@lru_cache(maxsize=1)
def _style() -> str:
    """The style sheet as it stands between the tags; browsers take line ends as they are."""
    loader = _environment().loader
    assert loader is not None
    source, _, _ = loader.get_source(_environment(), "style.css")
    return "\n" + source.replace("\r\n", "\n")


def _drawn_stories(report: Report) -> frozenset[str]:
    """Stories that have a place in the page, to link to."""
    return frozenset(story.id for story in report.stories)


def _evidence(row: Row) -> tuple[Evidence, ...]:
    return from_json_list(row["evidence"])


def _names(row: Row) -> tuple[str, ...]:
    """What an outlet may call itself."""
    return tuple(str(row[name]) for name in ("outlet", "site") if row[name])


def _number(value: int) -> str:
    return f"{value:,}"


def _percent(share: object) -> str:
    return f"{share * 100:.0f} %" if isinstance(share, float | int) else ""


def _moment(text: object) -> str:
    moment = display.read_time(text)
    return times.shown_moment(moment) if moment else "unknown"


def _plural(count: int, one: str, many: str | None = None) -> str:
    return display.counted(count, one, many, ",")


def _length(row: Row) -> str:
    """The length of a text: scripts without spaces are counted in characters."""
    count = row["word_count"]
    assert isinstance(count, int)
    return _plural(count, "character" if row["language"] in UNSPACED_LANGUAGES else "word")


def _software() -> str:
    try:
        return f"aidivide-archive {version('aidivide-archive')}"
    except PackageNotFoundError:  # a checkout that was never installed
        return "aidivide-archive"
