"""The query language: a person's words → a tree → the words of each engine. Nothing is handed through as it is.

    shared models              both words
    "shared models"            the phrase
    models OR networks         either; AND binds more tightly, as in arithmetic
    models -robots             without; also NOT robots
    (models OR networks) AI    parentheses group
    develop*                   every word that begins so
    title:forum                in the headline; also title:"…" and title:(…)

AND, OR and NOT are operators in capitals only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from aidivide_archive.archive.documents.full_text import single_words
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.words import is_by_character

MAX_CHARS = 1_000
MAX_TERMS = 64
MAX_DEPTH = 20
MIN_PREFIX = 2
"""Letters before a *: one alone means a large part of all words."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words next to each other; one word is the shortest phrase."""

    words: tuple[str, ...]
    """Folded; single characters in scripts without spaces."""
    is_prefix: bool = False
    """The last word may go on."""
    in_title: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Every part, and none of those without."""

    parts: tuple[Node, ...]
    without: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part."""

    parts: tuple[Node, ...]


Node: TypeAlias = Phrase | All | Any


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """(, ), AND, OR, NOT, phrase, title"""
    place: int
    """Of its first character, from 1."""
    shown: str
    phrase: Phrase | None = None


# Typographic quotation marks and wide parentheses, one character each, so that places stay true.
_ALIKE = str.maketrans("“”„‟«»「」『』＂（）＊", '"""""""""""()*')
_TOKEN = re.compile(r'\s+|[()]|-(?=[^\s)-])|title:(?=[("]|[^\s):])|"([^"]*)("?)(\*?)|[^\s()"]+')
_FILTERS = "outlet|site|country|language|lang|date|since|until|story|role|source|event|author|text"
_FIELD = re.compile(rf"({_FILTERS}):\S", re.IGNORECASE)


def parse(text: str) -> Node:
    """Raises ConfigError, one line with the place, for what is no query."""
    if len(text) > MAX_CHARS:
        raise _error(MAX_CHARS + 1, f"a query has at most {MAX_CHARS} characters")
    tokens = list(_tokens(unicodedata.normalize("NFC", text).translate(_ALIKE)))
    terms = sum(token.kind == "phrase" for token in tokens)
    if not terms:
        raise ConfigError(f"the query {text!r} holds no word to look for")
    if terms > MAX_TERMS:
        raise ConfigError(f"the query has {terms} words and phrases; {MAX_TERMS} are allowed")
    return _Parser(tokens).whole()


def phrases(node: Node) -> Iterator[Phrase]:
    """What must or may occur, in order; nothing that is excluded."""
    if isinstance(node, Phrase):
        yield node
    else:
        for part in node.parts:
            yield from phrases(part)


def _error(place: int, words: str) -> ConfigError:
    return ConfigError(f"cannot read the query at character {place}: {words}")


# --- tokens --------------------------------------------------------------------------------------


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        shown, place = match[0], match.start() + 1
        if shown.isspace():
            continue
        if shown in ("(", ")", "AND", "OR", "NOT"):
            yield _Token(shown, place, shown)
        elif shown == "-":
            yield _Token("NOT", place, shown)
        elif shown == "title:":
            yield _Token("title", place, shown)
        elif shown[0] == '"':
            if not match[2]:
                raise _error(place, "this quotation mark has no second one")
            yield from _phrase(match[1] + match[3], place, shown)
        else:
            yield from _word(shown, place)


def _word(shown: str, place: int) -> Iterator[_Token]:
    field = _FIELD.match(shown)
    if field is not None:
        name = field[1].lower()
        raise _error(place, f"only title: can be asked for here; for {name} there are options")
    star = shown.find("*")
    if -1 < star < len(shown.rstrip("*")):
        raise _error(place + star, "a * stands at the end of a word only")
    yield from _phrase(shown, place, shown)


def _phrase(text: str, place: int, shown: str) -> Iterator[_Token]:
    """Nothing for what holds no letter or digit: stray punctuation is no error."""
    is_prefix = text.endswith("*")
    words = single_words(text)
    if not words:
        return
    if is_prefix and len(words[-1]) < MIN_PREFIX and not is_by_character(words[-1]):
        raise _error(place, f"at least {MIN_PREFIX} letters must stand before a *")
    yield _Token("phrase", place, shown, Phrase(tuple(words), is_prefix))


# --- grammar -------------------------------------------------------------------------------------


class _Parser:
    """Recursive descent: any := all (OR all)*; all := item (AND? item)*; item := NOT item | title: item | ( any )."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def whole(self) -> Node:
        found = self._any(0)
        left = self._peek()
        if left is not None:  # only a ")" ends `_any` early
            raise _error(left.place, "this ) has no (")
        return found

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, *kinds: str) -> _Token | None:
        token = self._peek()
        if token is None or token.kind not in kinds:
            return None
        self._next += 1
        return token

    def _any(self, depth: int) -> Node:
        parts = [self._all(depth)]
        while self._take("OR"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self, depth: int) -> Node:
        start = self._peek()
        parts: list[Node] = []
        without: list[Node] = []
        while True:
            negated, node = self._item(depth)
            (without if negated else parts).append(node)
            self._take("AND")
            token = self._peek()
            before = self._tokens[self._next - 1]
            if token is None or token.kind in ("OR", ")"):
                if before.kind == "AND":
                    raise _error(before.place, "AND needs a word on both sides")
                break
        if not parts:
            assert start is not None
            raise _error(start.place, "nothing but excluded words here: add one that must occur")
        if len(parts) == 1 and not without:
            return parts[0]
        return All(tuple(parts), tuple(without))

    def _item(self, depth: int) -> tuple[bool, Node]:
        """Whether it is excluded, and what."""
        negated = False
        while token := self._take("NOT"):
            negated = not negated
            if self._peek() is None:
                raise _error(token.place, f"{token.shown} needs a word after it")
        in_title = self._take("title") is not None
        if opened := self._take("("):
            node = self._group(opened, depth)
        elif token := self._take("phrase"):
            assert token.phrase is not None
            node = token.phrase
        else:
            raise self._unexpected()
        return negated, _titled(node) if in_title else node

    def _group(self, opened: _Token, depth: int) -> Node:
        if depth >= MAX_DEPTH:
            raise _error(opened.place, f"more than {MAX_DEPTH} parentheses inside each other")
        if empty := self._take(")"):
            raise _error(empty.place, "nothing stands between these parentheses")
        node = self._any(depth + 1)
        if self._take(")") is None:
            raise _error(opened.place, "this ( has no )")
        return node

    def _unexpected(self) -> ConfigError:
        token = self._peek()
        if token is None:
            last = self._tokens[-1]
            return _error(last.place, f"{last.shown} needs a word after it")
        if token.kind == ")":
            return _error(token.place, "a word is missing before this )")
        return _error(token.place, f"{token.shown} needs a word on both sides")


def _titled(node: Node) -> Node:
    if isinstance(node, Phrase):
        return replace(node, in_title=True)
    if isinstance(node, Any):
        return Any(tuple(map(_titled, node.parts)))
    return All(tuple(map(_titled, node.parts)), tuple(map(_titled, node.without)))


# --- the engines' words --------------------------------------------------------------------------


def places(phrase: Phrase) -> tuple[tuple[str, ...], bool]:
    """What the index holds for a phrase, and whether the last is a prefix (see `full_text`)."""
    words = phrase.words
    positions = []
    is_prefix = phrase.is_prefix
    for number, word in enumerate(words):
        after = words[number + 1] if number + 1 < len(words) else None
        if not is_by_character(word):
            positions.append(word)
        elif after is not None:
            positions.append(word + after if is_by_character(after) else word)
        elif number and is_by_character(words[number - 1]):
            is_prefix = False  # the last character stands in the place before
        else:
            positions.append(word)
            is_prefix = True
    return tuple(positions), is_prefix


def fts5(node: Node) -> str:
    """The MATCH expression of SQLite; every word is quoted."""
    if isinstance(node, Phrase):
        words, is_prefix = places(node)
        quoted = '"{}"{}'.format(" ".join(words), "*" if is_prefix else "")
        return f"(title : {quoted})" if node.in_title else quoted
    if isinstance(node, Any):
        return f"({' OR '.join(map(fts5, node.parts))})"
    wanted = f"({' AND '.join(map(fts5, node.parts))})"
    if not node.without:
        return wanted
    return f"({wanted} NOT ({' OR '.join(map(fts5, node.without))}))"


def tsquery(node: Node) -> str:
    """The tsquery of PostgreSQL as text; every word is quoted."""
    if isinstance(node, Phrase):
        words, is_prefix = places(node)
        title = "A" if node.in_title else ""
        flags = [f":{title}" if title else "" for _ in words]
        if is_prefix:
            flags[-1] = f":*{title}"
        quoted = (f"'{word}'{flag}" for word, flag in zip(words, flags, strict=True))
        return f"({' <-> '.join(quoted)})"
    if isinstance(node, Any):
        return f"({' | '.join(map(tsquery, node.parts))})"
    wanted = [tsquery(part) for part in node.parts]
    return f"({' & '.join([*wanted, *(f'!{tsquery(part)}' for part in node.without)])})"
