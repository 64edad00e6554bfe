"""Quality and speed of extraction on labelled pages.

`extract(html, url)` is the adapter that a scorer calls: text, title, authors, date and language of
one page, from the same call that the crawler makes, links included. Run as a script, this hands
the adapter to a scorer together with its baselines and adds the speed over all sets:

    python benchmarks/extraction.py SCORER [--sets aeb,fundus] [--baseline trafilatura-balanced]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from aidivide_archive.extract import extract as extract_document
from aidivide_archive.metadata.people import is_agency
from aidivide_archive.model import Metadata, TimeValue

ADAPTER = "extraction:extract"


def extract(html: bytes, url: str | None) -> dict[str, object]:
    extraction = extract_document(html, url=url or "").extraction
    metadata = extraction.metadata
    return {
        "text": extraction.text,
        "title": metadata.title,
        "authors": byline(metadata),
        "date": _day(metadata.published),
        "language": metadata.language,
    }


def _day(published: TimeValue | None) -> str | None:
    return published.local_day.isoformat() if published and published.local_day else None


def byline(metadata: Metadata) -> list[str]:
    """People and the agencies named beside them; the stated outlet when no person is named.

    The labels of the page sets count agencies, and the publisher itself, as authors.
    """
    credited = [
        claim
        for claim in metadata.claims
        if claim.field == "credit" and claim.source != "text" and claim.confidence >= 0.6
    ]
    if not metadata.authors:
        return [claim.value for claim in credited]
    return [*metadata.authors, *(claim.value for claim in credited if is_agency(claim.value))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scorer", type=Path, help="score_extraction.py beside its pages")
    parser.add_argument("--sets", help="comma-separated page sets (default: all)")
    parser.add_argument("--baseline", action="append", default=[], help="repeatable")
    options = parser.parse_args()
    baselines = options.baseline or ["trafilatura-balanced"]
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [sys.executable, str(options.scorer.resolve()), ADAPTER, "--json", report.name]
        for name in baselines:
            command += ["--baseline", name]
        if options.sets:
            command += ["--sets", options.sets]
        status = subprocess.run(command, cwd=Path(__file__).parent, check=False).returncode
        if status == 0:
            print_speed(json.loads(Path(report.name).read_text("utf-8")))
    return status


def print_speed(report: dict[str, dict[str, dict[str, dict[str, float]]]]) -> None:
    """Documents per CPU second over all sets, and how many times the first baseline's."""
    seconds: dict[str, float] = {}
    pages: dict[str, float] = {}
    for extractors in report.values():
        for name, result in extractors.items():
            summary = result["summary"]
            pages[name] = pages.get(name, 0) + summary["pages"]
            spent = summary["pages"] / summary["docs_per_second"]
            seconds[name] = seconds.get(name, 0) + spent
    print("\n### all sets\n\n| extractor | pages | CPU s | CPU docs/s | times |")
    print("| --- | ---: | ---: | ---: | ---: |")
    own = pages[ADAPTER] / seconds[ADAPTER]
    for name, spent in seconds.items():
        rate = pages[name] / spent
        print(f"| {name} | {pages[name]:.0f} | {spent:.1f} | {rate:.1f} | {own / rate:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
