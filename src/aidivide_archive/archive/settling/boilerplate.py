"""What the sites of an archive print again and again: shingles that are no evidence of copying."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from aidivide_archive.archive.documents.matching import texts_of
from aidivide_archive.archive.settling.templates import site_lines
from aidivide_archive.archive.storage.chunks import CHUNK, chunks
from aidivide_archive.model import StoryArticle
from aidivide_archive.similarity import Hashes, shingles, unique_hashes
from aidivide_archive.similarity.boilerplate import (
    sentence_keys,
    shared_endings,
    site_boilerplate,
    site_sentences,
    stock_sentences,
    version_groups,
)

_NOTHING: Hashes = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """Shingles that are no evidence of copying, each sorted."""

    by_site: Mapping[str, Hashes]
    stock: Hashes
    """Of sentences that many sites print again and again."""


def learn_boilerplate(
    connection: sa.Connection, everything: Mapping[int, StoryArticle]
) -> Boilerplate:
    """Learn from the texts as shown and the lines they are shown without; reads only."""
    by_site = {}
    sentences = []
    cut = site_lines(connection)
    for site, texts in _texts_by_site(connection, everything):
        # A short page keeps its site's lines, which are cut from the others: few pages show them.
        lines = [
            shingles(line) for line in (*cut.get(site, ()), *shared_endings(list(texts.values())))
        ]
        groups = [0]
        if len(texts) > 1:  # most sites of an event have one page, with nothing to compare it to
            signed = [shingles(text) for text in texts.values()]
            groups = version_groups(signed)
            lines.append(site_boilerplate(signed, groups))
        common = unique_hashes(np.concatenate([_NOTHING, *lines]))
        if len(common):
            by_site[site] = common
        keys = {article_id: sentence_keys(text) for article_id, text in texts.items()}
        sentences.append(site_sentences(keys, dict(zip(texts, groups, strict=True))))
    return Boilerplate(by_site, _stock(connection, stock_sentences(sentences)))


def _stock(connection: sa.Connection, holders: Mapping[int, int]) -> Hashes:
    """The shingles of sentences, given by their keys and the article to find each one in."""
    stock = [_NOTHING]
    ids = sorted(set(holders.values()))
    for chunk in chunks(ids):
        for _, text in texts_of(connection, chunk).values():
            stock += [
                shingles(sentence)
                for key, sentence in sentence_keys(text).items()
                if key in holders
            ]
    return unique_hashes(np.concatenate(stock))


def _texts_by_site(
    connection: sa.Connection, everything: Mapping[int, StoryArticle]
) -> Iterator[tuple[str, dict[int, str]]]:
    """The texts of each site by article. Small sites are read together."""
    by_site: dict[str, list[int]] = {}
    for article in everything.values():
        by_site.setdefault(article.site, []).append(article.id)
    waiting: list[str] = []
    for place, site in enumerate(sorted(by_site), start=1):
        waiting.append(site)
        if place < len(by_site) and sum(len(by_site[article_id]) for article_id in waiting) < CHUNK:
            continue
        texts = texts_of(
            connection, [article_id for name in waiting for article_id in by_site[name]]
        )
        for name in waiting:
            yield name, {article_id: texts[article_id][1] for article_id in by_site[name]}
        waiting.clear()
