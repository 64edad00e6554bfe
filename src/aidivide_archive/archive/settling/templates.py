"""What a site repeats, learnt from its articles when a run settles, and cut from their texts.

An article's *base* is its text as extracted: what is compared with a later visit, and what a revision is. What is
learnt from is the base, or what it was joined from (`joining`). Where the site's template stands in it, the article
shows a second extraction of the same capture, without those lines; its version is the base's with `+t` and a digest of
the lines that were cut. A shown text is thus a function of the bases and the site's rules (`derived`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents import full_text, matching
from aidivide_archive.archive.documents.derived import (
    Standing,
    drop_derived,
    is_derived,
    standing_of,
)
from aidivide_archive.archive.documents.rows import cut_value, text_measures
from aidivide_archive.archive.schema import articles, claims, clutter_rules, extractions
from aidivide_archive.archive.settling.joining import Joined, Joining
from aidivide_archive.archive.storage.changed_rows import Rows, delete_absent, upsert_changed
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.decode.blocks import line_key
from aidivide_archive.extract.clutter import (
    MIN_TEMPLATE_PAGES,
    distinct_pages,
    without_template,
)
from aidivide_archive.model import Cut
from aidivide_archive.similarity import shingles, sign
from aidivide_archive.similarity.boilerplate import version_groups

VERSION = "1"
"""Version of the learning."""
LEARNED, UNDONE, ADDED = "learned", "undone", "added"
"""What a rule is: found by the machine; never to be cut; always to be cut. A person's two are kept."""


@dataclass(frozen=True, slots=True)
class _Page:
    """An article as its site's template is learnt from it and applied to it."""

    standing: Standing
    version: str
    text: str
    cuts: tuple[Cut, ...]
    joined: Joined

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


def line_hash(key: str) -> int:
    """Number of a rule: the first 48 bits of the SHA-256 of the line's key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6])


# --- settling ------------------------------------------------------------------------------------


def settle_templates(connection: sa.Connection, joining: Joining) -> None:
    """Learn what every site repeats; show articles joined and without it; writes what differs.

    A function of the base texts and of what people said about lines. CPU time: 0.1 ms an article, 0.5 ms where the
    site repeats lines, 5 ms when the text shown changes.
    """
    for site in sorted({*_sites(connection), *joining.sites}):
        pages = list(_pages(connection, site, joining))
        present = {
            (site, row["line_hash"]): dict(row)
            for row in connection.execute(
                sa.select(clutter_rules).where(clutter_rules.c.site == site)
            ).mappings()
        }
        if not present and not _repeats(pages):
            for page in pages:
                if page.joined.suffix or is_derived(page.standing.shown_version):
                    _show(connection, page, frozenset())
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


def site_lines(connection: sa.Connection) -> dict[str, list[str]]:
    """The lines that each site's articles are shown without, whether or not a page is too short to lose them."""
    rows = connection.execute(
        sa.select(clutter_rules.c.site, clutter_rules.c.sample)
        .where(clutter_rules.c.status != UNDONE)
        .order_by(clutter_rules.c.site, clutter_rules.c.line_hash)
    )
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row.site, []).append(row.sample)
    return lines


def _sites(connection: sa.Connection) -> set[str]:
    """Sites with enough articles to learn from, and those with rules."""
    many = (
        sa.select(articles.c.site)
        .group_by(articles.c.site)
        .having(sa.func.count() >= MIN_TEMPLATE_PAGES)
    )
    return {*connection.scalars(many), *connection.scalars(sa.select(clutter_rules.c.site))}


def _pages(connection: sa.Connection, site: str, joining: Joining) -> Iterator[_Page]:
    """The articles of a site by id, with their base texts, or what these were joined to."""
    ids = connection.scalars(
        sa.select(articles.c.id).where(articles.c.site == site).order_by(articles.c.id)
    ).all()
    for chunk in chunks(ids):
        standings = list(standing_of(connection, chunk))
        columns = (extractions.c.id, extractions.c.version, extractions.c.text, extractions.c.cuts)
        base_ids = [standing.base_id for standing in standings]
        rows = connection.execute(sa.select(*columns).where(extractions.c.id.in_(base_ids)))
        bases = {row.id: row for row in rows}
        for standing in standings:
            base = bases[standing.base_id]
            joined = joining.articles.get(standing.article_id, Joined())
            yield _Page(
                standing=standing,
                version=f"{base.version}{joined.suffix}",
                text=base.text if joined.text is None else joined.text,
                joined=joined,
                cuts=tuple(Cut(**cut) for cut in base.cuts or ()),
            )


def _repeats(pages: Sequence[_Page]) -> bool:
    """Whether any line stands on enough different texts: a quick look before copies are identified."""
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
    for text, group in zip(
        texts, version_groups([shingles(page_text) for page_text in texts]), strict=True
    ):
        merged.setdefault(group, []).extend(text.split("\n"))
    return merged.values()


def _show(connection: sa.Connection, page: _Page, template: frozenset[str]) -> None:
    """Have the article show its text without the template, if it does not yet."""
    kept, cuts = without_template(page.lines, page.cuts, template)
    version = page.version + (_suffix(cuts) if cuts else "")
    if page.standing.shown_version == version:
        return
    article_id = page.standing.article_id
    indexed = full_text.indexed(connection, [article_id])
    text = "\n".join(kept)
    is_base = not cuts and not page.joined.suffix
    number = page.standing.base_id if is_base else _derive(connection, page, version, text, cuts)
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
    full_text.write(connection, [(article_id, row.title or "", text)], gone=indexed)
    matching.store_signature(connection, article_id, sign(text))


def _suffix(cuts: Sequence[Cut]) -> str:
    keys = "\n".join(sorted({line_key(cut.text) for cut in cuts}))
    return f"+t{line_hash(keys):012x}"


def _derive(
    connection: sa.Connection, page: _Page, version: str, text: str, cuts: Sequence[Cut]
) -> int:
    """Write the extraction as shown, with the base's claims and its own; returns its number."""
    base = connection.execute(
        sa.select(extractions).where(extractions.c.id == page.standing.base_id)
    ).mappings()
    values = dict(base.one())
    del values["id"]
    all_cuts = sorted((*page.cuts, *cuts), key=lambda cut: cut.position)
    values |= {
        "version": version,
        "text": text,
        **text_measures(text),
        "cuts": [cut_value(cut) for cut in all_cuts] or None,
        "fields": values["fields"] | _joined_fields(page.joined),
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
    _claim_pages(connection, int(number), page.joined)
    return int(number)


def _joined_fields(joined: Joined) -> dict[str, Any]:
    """What `fields` says of an article of several pages; absent keys mean none."""
    fields = {"pages": list(joined.urls), "missing_pages": list(joined.missing)}
    return {name: value for name, value in fields.items() if value}


def _claim_pages(connection: sa.Connection, extraction_id: int, joined: Joined) -> None:
    """State which pages the text was joined from, and which are missing."""
    stated = [("page", url) for url in joined.urls]
    stated += [("missing page", str(number)) for number in joined.missing]
    if not stated:
        return
    last = connection.scalar(
        sa.select(sa.func.max(claims.c.position)).where(claims.c.extraction_id == extraction_id)
    )
    start = 0 if last is None else last + 1
    connection.execute(
        sa.insert(claims),
        [
            {
                "extraction_id": extraction_id,
                "position": start + place,
                "field": field,
                "value": value,
                "source": "joined",
                "confidence": 1.0,
                "chosen": True,
            }
            for place, (field, value) in enumerate(stated)
        ],
    )
