"""What a site repeats, learnt from its articles when a run settles, and cut from their texts.

An article's *base* is its text as extracted: what is compared with a later visit, what a revision is, and what is
learnt from. Where the site's template stands in it, the article shows a second extraction of the same capture, without
those lines; its version is the base's with `+t` and a digest of the lines that were cut. A shown text is thus a
function of its base and the site's rules, and only the one that is shown is kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive import full_text, matching
from aidivide_archive.archive.differences import Rows, delete_absent, upsert_changed
from aidivide_archive.blocks import line_key
from aidivide_archive.extract.clutter import (
    MIN_TEMPLATE_PAGES,
    distinct_pages,
    without_template,
)
from aidivide_archive.model import Cut
from aidivide_archive.schema import articles, claims, clutter_rules, extractions
from aidivide_archive.similarity import shingles, sign
from aidivide_archive.similarity.boilerplate import version_groups

VERSION = "1"
"""Version of the learning."""
LEARNED, UNDONE, ADDED = "learned", "undone", "added"
"""What a rule is: found by the machine; never to be cut; always to be cut. A person's two are kept."""
_SUFFIX = re.compile(r"\+t[0-9a-f]{12}")
_SUFFIX_CHARS = 14
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of an article when its document comes again."""

    revision: int
    captured_at: datetime
    title: str | None
    extraction_id: int
    """Of the text shown."""
    version: str
    """Of the base."""
    text_sha256: str
    """Of the base."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which extraction an article shows, and which is its base; often the same."""

    article_id: int
    shown_id: int
    shown_version: str
    base_id: int


@dataclass(frozen=True, slots=True)
class _Page:
    """An article as its site's template is learnt from it and applied to it."""

    standing: Standing
    version: str
    text: str
    cuts: tuple[Cut, ...]

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


def base_version(version: str) -> str:
    """The version of the extraction that a text without template was made from; others are their own."""
    return version[:-_SUFFIX_CHARS] if is_derived(version) else version


def is_derived(version: str) -> bool:
    return _SUFFIX.fullmatch(version[-_SUFFIX_CHARS:]) is not None


def line_hash(key: str) -> int:
    """Number of a rule: the first 48 bits of the SHA-256 of the line's key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6])


def shown(connection: sa.Connection, article_id: int) -> Shown | None:
    """The article of that number; None when there is none."""
    row = connection.execute(
        sa.select(articles.c.revision, articles.c.captured_at, articles.c.title).where(
            articles.c.id == article_id
        )
    ).first()
    if row is None:
        return None
    standing = next(standings(connection, [article_id]))
    base = connection.execute(
        sa.select(extractions.c.version, extractions.c.text_sha256).where(
            extractions.c.id == standing.base_id
        )
    ).one()
    return Shown(
        revision=row.revision,
        captured_at=row.captured_at,
        title=row.title,
        extraction_id=standing.shown_id,
        version=base.version,
        text_sha256=base.text_sha256,
    )


def drop_derived(connection: sa.Connection, extraction_id: int) -> None:
    """Delete an extraction that is no longer shown, if it was made from another: it can be made again."""
    version = connection.scalar(
        sa.select(extractions.c.version).where(extractions.c.id == extraction_id)
    )
    if version is not None and is_derived(version):
        connection.execute(sa.delete(claims).where(claims.c.extraction_id == extraction_id))
        connection.execute(sa.delete(extractions).where(extractions.c.id == extraction_id))


# --- settling ------------------------------------------------------------------------------------


def settle_templates(connection: sa.Connection) -> None:
    """Learn what every site repeats and show its articles without it; writes what differs.

    A function of the base texts and of what people said about lines. CPU time: 0.1 ms an article, 0.5 ms where the
    site repeats lines, 5 ms when the text shown changes.
    """
    for site in _sites(connection):
        pages = list(_pages(connection, site))
        present = {
            (site, row["line_hash"]): dict(row)
            for row in connection.execute(
                sa.select(clutter_rules).where(clutter_rules.c.site == site)
            ).mappings()
        }
        if not present and not _repeats(pages):
            continue
        wanted = _rules(site, pages, present)
        key_names = ("site", "line_hash")
        upsert_changed(connection, clutter_rules, key_names, wanted, present)
        delete_absent(connection, clutter_rules, key_names, wanted, present)
        template = frozenset(
            line_key(row["sample"]) for row in wanted.values() if row["status"] != UNDONE
        )
        for page in pages:
            _show(connection, page, template)


def _sites(connection: sa.Connection) -> list[str]:
    """Sites with enough articles to learn from, and those with rules."""
    many = (
        sa.select(articles.c.site)
        .group_by(articles.c.site)
        .having(sa.func.count() >= MIN_TEMPLATE_PAGES)
    )
    return sorted({*connection.scalars(many), *connection.scalars(sa.select(clutter_rules.c.site))})


def _pages(connection: sa.Connection, site: str) -> Iterator[_Page]:
    """The articles of a site by id, with their base texts."""
    ids = connection.scalars(
        sa.select(articles.c.id).where(articles.c.site == site).order_by(articles.c.id)
    ).all()
    for start in range(0, len(ids), _CHUNK):
        found = list(standings(connection, ids[start : start + _CHUNK]))
        columns = (extractions.c.id, extractions.c.version, extractions.c.text, extractions.c.cuts)
        base_ids = [one.base_id for one in found]
        rows = connection.execute(sa.select(*columns).where(extractions.c.id.in_(base_ids)))
        bases = {row.id: row for row in rows}
        for one in found:
            base = bases[one.base_id]
            yield _Page(
                standing=one,
                version=base.version,
                text=base.text,
                cuts=tuple(Cut(**cut) for cut in base.cuts or ()),
            )


def standings(connection: sa.Connection, ids: Sequence[int]) -> Iterator[Standing]:
    """Articles by id with the numbers of their extractions.

    Of imported texts, which have no capture, the newest base is the newest revision's.
    """
    rows = connection.execute(
        sa.select(
            articles.c.id,
            articles.c.extraction_id,
            extractions.c.version,
            extractions.c.capture_id,
        )
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .where(articles.c.id.in_(ids))
        .order_by(articles.c.id)
    ).all()
    derived = [row.id for row in rows if is_derived(row.version)]
    bases = {
        (row.url_id, row.capture_id, row.version): row.id
        for row in connection.execute(
            sa.select(
                extractions.c.id,
                extractions.c.url_id,
                extractions.c.capture_id,
                extractions.c.version,
            )
            .where(extractions.c.url_id.in_(derived))
            .order_by(extractions.c.id)
        )
    }
    for row in rows:
        base_id = row.extraction_id
        if is_derived(row.version):
            base_id = bases[(row.id, row.capture_id, base_version(row.version))]
        yield Standing(row.id, row.extraction_id, row.version, base_id)


def _repeats(pages: Sequence[_Page]) -> bool:
    """Whether any line stands on enough different texts: a quick look before copies are told apart."""
    seen: dict[str, int] = {}
    for text in {page.text for page in pages}:
        for key in {line_key(line) for line in text.split("\n")} - {""}:
            seen[key] = seen.get(key, 0) + 1
            if seen[key] >= MIN_TEMPLATE_PAGES:
                return True
    return False


def _rules(site: str, pages: Sequence[_Page], present: Rows) -> dict[Any, dict[str, Any]]:
    """The rows that the site should have: what is learnt, and what a person said."""
    counts = distinct_pages(_distinct(pages))
    wanted: dict[Any, dict[str, Any]] = {}
    for page in pages:
        for line in page.lines:
            key = line_key(line)
            place = (site, line_hash(key)) if counts[key] >= MIN_TEMPLATE_PAGES else None
            if place is not None and place not in wanted:
                wanted[place] = {
                    "site": site,
                    "line_hash": place[1],
                    "sample": line,
                    "pages": counts[key],
                    "status": LEARNED,
                    "version": VERSION,
                }
    for place, row in present.items():
        if row["status"] != LEARNED:
            wanted[place] = {**row, "pages": counts[line_key(row["sample"])]}
    return wanted


def _distinct(pages: Sequence[_Page]) -> Iterable[list[str]]:
    """The lines of the pages, those of copies and excerpts of one another taken together.

    Matches cannot tell them here: they are made from the texts shown, and so from what is learnt.
    """
    texts = sorted({page.text for page in pages})
    merged: dict[int, list[str]] = {}
    for text, group in zip(texts, version_groups([shingles(one) for one in texts]), strict=True):
        merged.setdefault(group, []).extend(text.split("\n"))
    return merged.values()


def _show(connection: sa.Connection, page: _Page, template: frozenset[str]) -> None:
    """Have the article show its base without the template, if it does not yet."""
    kept, cuts = without_template(page.lines, page.cuts, template)
    version = page.version + (_suffix(cuts) if cuts else "")
    if page.standing.shown_version == version:
        return
    old = full_text.indexed(connection, page.standing.article_id)
    text = "\n".join(kept)
    number = _derive(connection, page, version, text, cuts) if cuts else page.standing.base_id
    row = connection.execute(
        sa.select(extractions.c.title, extractions.c.word_count, extractions.c.text_sha256).where(
            extractions.c.id == number
        )
    ).one()
    connection.execute(
        sa.update(articles)
        .where(articles.c.id == page.standing.article_id)
        .values(extraction_id=number, word_count=row.word_count, text_sha256=row.text_sha256)
    )
    drop_derived(connection, page.standing.shown_id)
    full_text.replace(connection, page.standing.article_id, old, (row.title or "", text))
    matching.store_signature(connection, page.standing.article_id, sign(text))


def _suffix(cuts: Sequence[Cut]) -> str:
    keys = "\n".join(sorted({line_key(cut.text) for cut in cuts}))
    return f"+t{line_hash(keys):012x}"


def _derive(
    connection: sa.Connection, page: _Page, version: str, text: str, cuts: Sequence[Cut]
) -> int:
    """Write the extraction without the template, with the base's claims; returns its number."""
    base = connection.execute(
        sa.select(extractions).where(extractions.c.id == page.standing.base_id)
    ).mappings()
    values = dict(base.one())
    del values["id"]
    all_cuts = sorted((*page.cuts, *cuts), key=lambda cut: cut.position)
    values |= {
        "version": version,
        "text": text,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "word_count": full_text.word_count(text),
        "cuts": [
            {"position": cut.position, "text": cut.text, "reason": cut.reason} for cut in all_cuts
        ],
    }
    number = connection.execute(
        sa.insert(extractions).values(values).returning(extractions.c.id)
    ).scalar_one()
    others = [column for column in claims.c if column.name != "extraction_id"]
    connection.execute(
        sa.insert(claims).from_select(
            ["extraction_id", *(column.name for column in others)],
            sa.select(sa.literal(number), *others).where(
                claims.c.extraction_id == page.standing.base_id
            ),
        )
    )
    return int(number)
