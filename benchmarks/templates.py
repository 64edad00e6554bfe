"""How much of the true text learned site templates cut on labelled pages.

    python benchmarks/templates.py PAGES [--min-pages 3]

PAGES holds one folder a set, with `labels.jsonl.gz` and the pages. The pages of each site (across
sets) are extracted, their template is learnt and cut as when a run settles, and every line that is
cut is looked up in its page's label: a line whose words stand there is a false cut. Pages with
labelled segments instead of a text count their segments.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aidivide_archive.decode.blocks import line_key
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.extract import extract
from aidivide_archive.extract.clutter import distinct_pages, without_template
from aidivide_archive.urls import site

MIN_KEY = 8
"""Letters and digits from which a line standing in a label says something."""


@dataclass(frozen=True)
class Page:
    set_name: str
    site: str
    lines: tuple[str, ...]
    label: str
    """Key of the labelled text, or of its segments, one after the other."""


@dataclass
class Count:
    pages: int = 0
    on_sites: int = 0
    """Pages on sites with enough pages to learn from."""
    true_lines: int = 0
    cut: int = 0
    false: int = 0
    examples: list[str] = field(default_factory=list)


def read_pages(folder: Path) -> Iterator[Page]:
    for labels in sorted(folder.glob("*/labels.jsonl.gz")):
        with gzip.open(labels, "rt", encoding="utf-8") as rows:
            for row in map(json.loads, rows):
                url = row.get("url") or ""
                try:
                    name = site(url) if url else ""
                except InvalidURLError:
                    name = ""
                html = gzip.decompress((labels.parent / row["file"]).read_bytes())
                text = extract(html, url=url).extraction.text
                label = row.get("text") or "\n".join(row.get("with") or ())
                yield Page(labels.parent.name, name, tuple(text.split("\n")), line_key(label))


def is_true(line: str, label: str) -> bool:
    """Whether a line stands in the label: as a whole, or a labelled segment in it."""
    key = line_key(line)
    return len(key) >= MIN_KEY and key in label


def measure(pages: Sequence[Page], min_pages: int) -> dict[str, Count]:
    by_site: defaultdict[str, list[Page]] = defaultdict(list)
    for page in pages:
        by_site[page.site].append(page)
    counts: defaultdict[str, Count] = defaultdict(Count)
    for name, group in by_site.items():
        enough = bool(name) and len(group) >= min_pages
        found = distinct_pages([page.lines for page in group]) if enough else {}
        template = frozenset(key for key, number in found.items() if number >= min_pages)
        for page in group:
            count = counts[page.set_name]
            count.pages += 1
            count.on_sites += enough
            count.true_lines += sum(is_true(line, page.label) for line in page.lines)
            for cut in without_template(page.lines, (), template)[1]:
                count.cut += 1
                if is_true(cut.text, page.label):
                    count.false += 1
                    count.examples.append(f"{name}: {cut.text[:100]}")
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--min-pages", type=int, action="append", help="repeatable; default 3")
    parser.add_argument("--examples", action="store_true", help="print the false cuts")
    options = parser.parse_args()
    pages = list(read_pages(options.pages))
    for min_pages in options.min_pages or [3]:
        print(f"\n### lines on at least {min_pages} distinct pages\n")
        print("| set | pages | on sites with enough | true lines | cut | false | share |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name, count in sorted(measure(pages, min_pages).items()):
            share = count.false / count.true_lines if count.true_lines else 0
            figures = (count.pages, count.on_sites, count.true_lines, count.cut, count.false)
            print(f"| {name} | {' | '.join(map(str, figures))} | {share:.2%} |")
            if options.examples:
                print("\n".join(f"    {one}" for one in count.examples))


if __name__ == "__main__":
    main()
