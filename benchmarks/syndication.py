"""Simulated syndication: real texts copied, cut, edited and gathered as outlets do, with the truth.

Every sentence of a made document knows where it comes from, so the truth of a pair is counted, not
guessed. The real texts are read at run time from a folder of labelled pages and never stored. All
wording added to them is invented here.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opencc import OpenCC

from benchmarks.formula_news import TEMPLATES, Template

SETS = ("aeb", "andy", "cwced", "fundus")
MIN_LENGTH = 700  # characters; a third of it in Chinese
Source = tuple[str, int]
"""Story and sentence that a sentence comes from."""
Sentence = tuple[Source, str]
_SENTENCES = re.compile(r"\n+|(?<=[.!?])\s+(?=[\"'“‘(]?[A-Z0-9ÄÖÜ])|(?<=[。！？])")


@dataclass
class Document:
    """One made page."""

    site: str
    kind: str
    sentences: list[Sentence]
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    chinese: bool = False
    text: str = ""

    def words(self) -> dict[Source, int]:
        """Return the words (Chinese: characters, halved) by origin."""
        counts: defaultdict[Source, int] = defaultdict(int)
        for source, sentence in self.sentences:
            counts[source] += len(sentence) // 2 if self.chinese else len(sentence.split())
        return counts


def real_texts(folder: Path) -> list[tuple[str, bool]]:
    """Return (text, is Chinese) of the labelled pages, without those that copy each other."""
    seen: set[str] = set()
    found = []
    for name in SETS:
        with gzip.open(folder / name / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                text = record.get("text") or ""
                chinese = name == "cwced"
                if len(text) < (MIN_LENGTH // 4 if chinese else MIN_LENGTH):
                    continue
                words = list(text) if chinese else text.casefold().split()
                size = 12 if chinese else 8
                grams = {" ".join(words[i : i + size]) for i in range(len(words) - size + 1)}
                if len(grams & seen) < 0.05 * len(grams):
                    found.append((text, chinese))
                seen |= grams
    return found


def split(text: str) -> list[str]:
    return [piece.strip() for piece in _SENTENCES.split(text) if piece and piece.strip()]


class Simulation:
    """Makes one archive of documents from real texts and a seed."""

    def __init__(self, texts: Sequence[tuple[str, bool]], seed: int) -> None:
        self.random = random.Random(seed)
        shuffled = list(texts)
        self.random.shuffle(shuffled)
        western = [split(text) for text, chinese in shuffled if not chinese]
        chinese = [split(text) for text, is_chinese in shuffled if is_chinese]
        half = int(len(western) * 0.6)
        self.bases = {f"w{i}": base for i, base in enumerate(western[:half]) if len(base) > 6}
        self.chinese_bases = {f"z{i}": base for i, base in enumerate(chinese) if len(base) > 4}
        self._pool = [
            sentence for base in western[half:] for sentence in base if len(sentence.split()) > 6
        ]
        self.random.shuffle(self._pool)
        self._taken = 0
        self.vocabulary = sorted({w for s in self._pool for w in re.findall("[a-z]{4,}", s)})
        self.sites = [_Site(f"outlet{i}.example", self.random) for i in range(60)]
        self.documents: list[Document] = []

    def run(self) -> list[Document]:
        for name, base in self.bases.items():
            self._story(name, base, chinese=False)
        for name, base in self.chinese_bases.items():
            self._story(name, base, chinese=True)
        self._roundups()
        self._follow_ups()
        self._statements()
        for index, template in enumerate(TEMPLATES):
            self._template_news(index, template)
        self._fillers()
        for document in self.documents:
            document.text = self._print(document)
        self.random.shuffle(self.documents)
        return self.documents

    def fresh(self, count: int) -> list[Sentence]:
        """Return sentences that no other document has."""
        result: list[Sentence] = []
        for _ in range(count):
            index = self._taken
            self._taken += 1
            sentence = self._pool[index % len(self._pool)]
            if index >= len(self._pool):  # the pool is used up: other words in the same form
                sentence = replaced(sentence, 0.8, self.random, self.vocabulary)
            result.append((("fresh", index), sentence))
        return result

    def _site(self, taken: set[str]) -> _Site:
        site = self.random.choice([site for site in self.sites if site.name not in taken])
        taken.add(site.name)
        return site

    def _story(self, name: str, base: list[str], *, chinese: bool) -> None:
        whole: list[Sentence] = [((name, i), sentence) for i, sentence in enumerate(base)]
        taken: set[str] = set()
        self._add(self._site(taken), "origin", whole, chinese=chinese)
        edits = CHINESE_EDITS if chinese else EDITS
        for _ in range(self.random.choice((1, 1, 2, 2, 3, 4, 5, 7, 9))):
            kind = self.random.choice(sorted(edits))
            copied = edits[kind](self, list(whole))
            if kind != "verbatim" and self.random.random() < 0.5:
                other = self.random.choice(("house", "cut", "added") if not chinese else ("cut",))
                copied = edits[other](self, copied)
            if copied:
                self._add(self._site(taken), kind, copied, chinese=chinese)

    def _roundups(self) -> None:
        names = sorted(self.bases)
        for _ in range(12):
            gathered: list[Sentence] = []
            for name in self.random.sample(names, self.random.randint(4, 7)):
                lede = self.random.randint(2, 3)
                gathered += [((name, i), s) for i, s in enumerate(self.bases[name][:lede])]
            self._add(self.random.choice(self.sites), "roundup", gathered)

    def _follow_ups(self) -> None:
        for name in self.random.sample(sorted(self.bases), min(40, len(self.bases))):
            base = self.bases[name]
            place = self.random.randrange(len(base) - 1)
            background: list[Sentence] = [((name, place), base[place])]
            own = self.fresh(self.random.randint(12, 20))
            self._add(self.random.choice(self.sites), "follow-up", own[:8] + background + own[8:])

    def _statements(self) -> None:
        for index in range(15):
            words = " ".join(s for _, s in self.fresh(4)).replace('"', "").replace("“", "")
            words = " ".join(words.replace("”", "").split()[:90])
            quote: Sentence = ((f"quote{index}", 0), f"“{words},” the statement said.")
            for _ in range(self.random.randint(2, 3)):
                own = self.fresh(self.random.randint(5, 9))
                self._add(self.random.choice(self.sites), "statement", [*own[:2], quote, *own[2:]])

    def _template_news(self, index: int, template: Template) -> None:
        for issue in range(14):
            made = [
                ((f"t{index}.{issue}", i), sentence)
                for i, sentence in enumerate(template(self.random))
            ]
            chinese = "的" in "".join(s for _, s in made)
            taken: set[str] = set()
            site = self.sites[index % 7] if issue % 2 else self._site(taken)
            taken.add(site.name)
            self._add(site, "template", list(made), chinese=chinese)
            if issue % 3 == 0:
                edits = CHINESE_EDITS if chinese else EDITS
                kind = self.random.choice(("verbatim", "verbatim" if chinese else "house"))
                copied = edits[kind](self, list(made))
                self._add(self._site(taken), "template", copied, chinese=chinese)

    def _fillers(self) -> None:
        for site in self.sites:
            for _ in range(5):
                self._add(site, "single", self.fresh(self.random.randint(6, 20)))

    def _add(
        self, site: _Site, kind: str, sentences: list[Sentence], *, chinese: bool = False
    ) -> None:
        before, after = site.frame(self.random, chinese=chinese)
        self.documents.append(
            Document(
                site=site.name,
                kind=kind,
                sentences=sentences,
                before=before,
                after=after,
                chinese=chinese,
            )
        )

    def _print(self, document: Document) -> str:
        """Set paragraphs as the outlet does: one to four sentences each."""
        lines, paragraph = list(document.before), []
        for _, sentence in document.sentences:
            paragraph.append(sentence)
            if self.random.random() < 0.45:
                lines.append(("" if document.chinese else " ").join(paragraph))
                paragraph = []
        lines.append(("" if document.chinese else " ").join(paragraph))
        return "\n".join([*lines, *document.after])


class _Site:
    """An outlet: its boilerplate and its way with bylines and datelines."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        words = ["subscribe", "today", "for", "our", "daily", "briefing", "and", "never", "miss"]
        words += ["share", "this", "story", "with", "friends", "follow", "updates", "on", "all"]
        words += [
            name.split(".", maxsplit=1)[0],
            "rights",
            "reserved",
            "terms",
            "apply",
            "contact",
            "editors",
        ]

        def line(length: int) -> str:
            return " ".join(chance.choice(words) for _ in range(length)).capitalize() + "."

        self.footer = [line(chance.randint(6, 22)) for _ in range(chance.randint(0, 4))]
        self.header = [line(chance.randint(4, 10)) for _ in range(chance.randint(0, 2))]
        self.bylines = chance.random() < 0.6

    def frame(self, chance: random.Random, *, chinese: bool) -> tuple[list[str], list[str]]:
        if chinese:
            return [f"来源：{self.name} 作者：佚名"], ["责任编辑：小王 分享到微信"]
        before = list(self.header)
        if self.bylines:
            names = ("Dana Roe", "Sam Ortiz", "Lena Vogt", "Ivo Marek", "Priya Das", "Tom Reed")
            before.append(f"By {chance.choice(names)}, {self.name.split('.')[0]} staff")
        return before, list(self.footer)


# --- edits -----------------------------------------------------------------------------------

Edit = Callable[[Simulation, list[Sentence]], list[Sentence]]
_SPELLINGS = {
    "organization": "organisation", "organize": "organise", "center": "centre",
    "color": "colour", "labor": "labour", "defense": "defence", "program": "programme",
    "percent": "per cent", "will": "would", "said": "says", "has": "have", "don't": "do not",
    "can't": "cannot", "government": "authorities", "United States": "U.S.", "million": "m",
    "toward": "towards", "gray": "grey", "analyze": "analyse", "traveled": "travelled",
    "about": "around", "more than": "over", "also": "in addition", "but": "however",
}  # fmt: skip


def replaced(sentence: str, share: float, chance: random.Random, vocabulary: Sequence[str]) -> str:
    """Put other words for a share of a sentence's lower-case words."""
    return " ".join(
        chance.choice(vocabulary) if word.islower() and chance.random() < share else word
        for word in sentence.split()
    )


def _paraphrase(share: float, swaps: float) -> Edit:
    def edit(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
        chance = simulation.random
        result = []
        for source, sentence in copied:
            words = replaced(sentence, share, chance, simulation.vocabulary).split()
            for i in range(len(words) - 1):
                if chance.random() < swaps:
                    words[i], words[i + 1] = words[i + 1], words[i]
            result.append((source, " ".join(words)))
        return result

    return edit


def _house(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    chance = simulation.random
    chosen = [pair for pair in sorted(_SPELLINGS.items()) if chance.random() < 0.7]
    straight = chance.random() < 0.5
    result = []
    for source, sentence in copied:
        styled = sentence
        for us, uk in chosen:
            styled = re.sub(rf"\b{re.escape(us)}\b", uk, styled)
        if straight:
            styled = styled.translate(str.maketrans("“”‘’", "\"\"''"))
        if chance.random() < 0.2:
            styled = re.sub(r"(\d),(\d)", r"\1\2", styled)
        result.append((source, styled))
    return result


def _cut(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    share = simulation.random.uniform(0.1, 0.5)
    return [one for one in copied if simulation.random.random() > share]


def _added(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    for sentence in simulation.fresh(simulation.random.randint(1, 6)):
        copied.insert(simulation.random.randint(0, len(copied)), sentence)
    return copied


def _truncated(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    kept = max(3, int(len(copied) * simulation.random.uniform(0.2, 0.6)))
    return [*copied[:kept], *((("more", 0), word) for word in ("Read the full article here.",))]


def _new_lede(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    return simulation.fresh(2) + copied[simulation.random.randint(1, 2) :]


def _embedded(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    length = max(4, len(copied) // 3)
    begin = simulation.random.randint(0, max(0, len(copied) - length))
    own = simulation.fresh(simulation.random.randint(4, 12))
    middle = len(own) // 2
    return own[:middle] + copied[begin : begin + length] + own[middle:]


def _version(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    """An agency's later version: new top, old text cut from below, figures brought up to date."""
    kept = copied[: max(4, int(len(copied) * simulation.random.uniform(0.45, 0.8)))]
    risen = [
        (source, re.sub(r"\b([2-9]\d?)\b", lambda m: str(int(m[1]) + 3), sentence, count=1))
        if simulation.random.random() < 0.25
        else (source, sentence)
        for source, sentence in kept
    ]
    return simulation.fresh(simulation.random.randint(1, 3)) + risen


def _cluttered(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    lines = (
        "Story continues below advertisement", "Related: what the markets did this week",
        "Sign up now to get insights on the region delivered to your inbox",
        "toggle caption hide caption", "Image: a street in the capital, on file",
    )  # fmt: skip
    for _ in range(simulation.random.randint(2, 8)):
        place = simulation.random.randint(0, len(copied))
        copied.insert(place, (("clutter", place), simulation.random.choice(lines)))
    return [
        (source, sentence.replace(" ", " (source: mirror.example) ", 1))
        if simulation.random.random() < 0.15
        else (source, sentence)
        for source, sentence in copied
    ]


def _moved(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    for place in range(1, len(copied) - 1):
        if simulation.random.random() < 0.15:
            copied[place], copied[place + 1] = copied[place + 1], copied[place]
    return copied


def _verbatim(_: Simulation, copied: list[Sentence]) -> list[Sentence]:
    return copied


EDITS: dict[str, Edit] = {
    "verbatim": _verbatim,
    "house": _house,
    "cut": _cut,
    "added": _added,
    "truncated": _truncated,
    "new lede": _new_lede,
    "embedded": _embedded,
    "version": _version,
    "clutter": _cluttered,
    "moved": _moved,
    "light paraphrase": _paraphrase(0.06, 0.01),
    "heavy paraphrase": _paraphrase(0.18, 0.02),
    "back-translated": _paraphrase(0.22, 0.06),
}


def _converted(config: str) -> Edit:
    converter = OpenCC(config)

    def edit(_: Simulation, copied: list[Sentence]) -> list[Sentence]:
        return [(source, converter.convert(sentence)) for source, sentence in copied]

    return edit


def _pinyin(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    readings = ("shàng", "hǎi", "rén", "gōng", "zhì", "néng", "de", "guó")

    def mark(match: re.Match[str]) -> str:
        if simulation.random.random() < 0.1:
            return f"{match[0]}({simulation.random.choice(readings)})"
        return match[0]

    traditional = _converted("s2t")(simulation, copied)
    return [(source, re.sub("[\u4e00-\u9fff]", mark, sentence)) for source, sentence in traditional]


def _lost(simulation: Simulation, copied: list[Sentence]) -> list[Sentence]:
    def lose(match: re.Match[str]) -> str:
        return match[0] if simulation.random.random() > 0.02 else "??"

    return [(source, re.sub("[\u4e00-\u9fff]", lose, sentence)) for source, sentence in copied]


CHINESE_EDITS: dict[str, Edit] = {
    "verbatim": _verbatim,
    "cut": _cut,
    "moved": _moved,
    "traditional": _converted("s2t"),
    "taiwan terms": _converted("s2twp"),
    "hong kong": _converted("s2hk"),
    "pinyin": _pinyin,
    "lost characters": _lost,
}


def overlap(a: dict[Source, int], b: dict[Source, int]) -> tuple[int, float]:
    """Return the words two documents have from the same sentences, and the larger containment."""
    shared = sum(min(count, b[source]) for source, count in a.items() if source in b)
    return shared, shared / max(1, min(sum(a.values()), sum(b.values())))


def true_pairs(documents: Sequence[Document]) -> Iterator[tuple[int, int, int, float]]:
    """Yield every pair with a common sentence: places, shared words, larger containment."""
    words = [document.words() for document in documents]
    holders: defaultdict[Source, list[int]] = defaultdict(list)
    for place, counts in enumerate(words):
        for source in counts:
            if source[0] not in {"clutter", "more"}:
                holders[source].append(place)
    pairs = {(a, b) for held in holders.values() for i, a in enumerate(held) for b in held[i + 1 :]}
    for a, b in sorted(pairs):
        yield a, b, *overlap(words[a], words[b])
