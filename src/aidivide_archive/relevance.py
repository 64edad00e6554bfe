"""Article + event → score with evidence. Pure; knows nothing of pages, links or the archive."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from aidivide_archive.config import Group, Profile
from aidivide_archive.config.phrases import (
    GAP_WIDTH,
    SENTENCE_ENDS,
    Parts,
    half_words,
    parse_phrase,
    tokens_of,
)
from aidivide_archive.model import (
    GroupMatch,
    Reason,
    Relevance,
    RelevanceDecision,
    TimeValue,
)

VERSION = "2"
"""Changes whenever the same profile and article could be judged differently."""

LEAD_WIDTH = 400
"""Half-words that count as the lead: 200 words, or 400 characters of `words.BY_CHARACTER`."""

_CACHED_MATCHERS = 8
_digests: dict[str, str] = {}
"""Of the rules of the few profiles that a process knows."""


def version_under(profile: Profile) -> str:
    """The version of judgements under a profile: another one for other rules, not for other sources."""
    if profile.sha256 not in _digests:
        parts = {"event", "window", "relevance", "groups", "exclude"}
        rules = json.dumps(profile.model_dump(mode="json", include=parts), sort_keys=True)
        _digests[profile.sha256] = hashlib.sha256(rules.encode()).hexdigest()[:12]
    return f"{VERSION}.{_digests[profile.sha256]}"


def judge(
    profile: Profile,
    *,
    title: str | None,
    text: str,
    published: TimeValue | None,
    language: str | None,  # noqa: ARG001 - see the docstring
) -> Relevance:
    """Score an article for the profile's event.

    Phrases of every language count on every page: pages quote names in other languages, and a
    wrong `language` must not lose a report. The score is the sum of the points, never below 0.
    An exclude phrase comes before the window, the window before the points; an unknown date is
    inside the window. Linear in title and text.
    """
    found = _matcher(profile).find(title or "", text)
    groups = tuple(match for group in profile.groups if (match := _match(group, found)))
    score = max(0.0, sum(match.points for match in groups))
    decision, reason = _decide(profile, {match.group for match in groups}, score)
    if any(phrase in found for phrases in profile.exclude.any.values() for phrase in phrases):
        decision, reason = RelevanceDecision.REJECT, Reason.EXCLUDED
    elif published is not None and _outside_window(profile, published):
        decision, reason = RelevanceDecision.REJECT, Reason.OUT_OF_WINDOW
    return Relevance(
        event_id=profile.event.id,
        version=VERSION,
        score=score,
        decision=decision,
        reason=reason,
        groups=groups,
    )


def _decide(profile: Profile, matched: set[str], score: float) -> tuple[RelevanceDecision, Reason]:
    rules = profile.relevance
    if not profile.groups:
        return RelevanceDecision.KEEP, Reason.KEPT
    complete = not rules.required or any(_holds(needed, matched) for needed in rules.required)
    if score >= rules.keep and complete:
        return RelevanceDecision.KEEP, Reason.KEPT
    if score >= rules.review:
        return RelevanceDecision.REVIEW, Reason.REVIEW
    return RelevanceDecision.REJECT, Reason.IRRELEVANT


def _holds(needed: tuple[str, ...], matched: set[str]) -> bool:
    """Whether every group of a `required` set matched, and none of those written "!name"."""
    return all((name.removeprefix("!") in matched) != name.startswith("!") for name in needed)


def _outside_window(profile: Profile, published: TimeValue) -> bool:
    """Whether the whole interval lies before or after the window."""
    start, end = profile.window_utc
    before = start is not None and published.end <= start and published.start < start
    return before or (end is not None and published.start >= end)


def _match(group: Group, found: dict[str, bool]) -> GroupMatch | None:
    """The group's evidence; None when it does not count. `found` says of a phrase: in the lead."""
    if any(phrase in found for phrases in group.none.values() for phrase in phrases):
        return None
    complete = [
        phrases
        for phrases in group.all.values()
        if phrases and all(phrase in found for phrase in phrases)
    ]
    if any(group.all.values()) and not complete:
        return None
    words = {phrase for phrases in group.any.values() for phrase in phrases if phrase in found}
    if any(group.any.values()) and not words:
        return None
    words |= {phrase for phrases in complete for phrase in phrases}
    in_lead = any(found[phrase] for phrase in words)
    return GroupMatch(
        group=group.name,
        words=tuple(sorted(words)),
        place="lead" if in_lead else "body",
        points=group.weight * (2 if in_lead else 1),
    )


# --- finding phrases -----------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Node:
    """A state of the phrase trie."""

    next: dict[str, _Node] = field(default_factory=dict)
    after_gap: _Node | None = None
    phrases: list[str] = field(default_factory=list)

    @property
    def is_inner(self) -> bool:
        """Whether only a next token leads on: no phrase ends here and no gap begins."""
        return self.after_gap is None and not self.phrases


class _Matcher:
    """All phrases of a profile as one trie over tokens, walked once over a text."""

    def __init__(self, profile: Profile) -> None:
        self._root = _Node()
        tables = [profile.exclude.any]
        for group in profile.groups:
            tables += [group.any, group.all, group.none]
        phrases = {phrase for table in tables for listed in table.values() for phrase in listed}
        for phrase in sorted(phrases):
            for parts in parse_phrase(phrase):
                self._add(parts, phrase)

    def _add(self, parts: Parts, phrase: str) -> None:
        node = self._root
        for index, run in enumerate(parts):
            if index:
                node.after_gap = node = node.after_gap or _Node()
            for token in run:
                node = node.next.setdefault(token, _Node())
        node.phrases.append(phrase)

    def find(self, title: str, text: str) -> dict[str, bool]:
        """Phrases that occur, each with whether it begins in the title or the lead."""
        if not self._root.next:  # an event without phrases: whatever is found is kept
            return {}
        answers: dict[str, bool] = {}
        self._scan(tokens_of(title), answers, lead_end=None)
        tokens = tokens_of(text)
        self._scan(tokens, answers, lead_end=_lead_end(tokens))
        return answers

    def _scan(self, tokens: list[str], found: dict[str, bool], lead_end: int | None) -> None:
        first = self._root.next
        last = len(tokens) - 1
        for start, token in enumerate(tokens):
            node = first.get(token)
            if node is None or (
                node.is_inner and (start == last or tokens[start + 1] not in node.next)
            ):
                continue
            in_lead = lead_end is None or start < lead_end
            for phrase in _phrases_at(node, tokens, start + 1):
                found[phrase] = in_lead or found.get(phrase, False)


def _phrases_at(node: _Node, tokens: list[str], position: int) -> list[str]:
    """Phrases that go on from `node` with the token at `position`.

    A state and a position fix the gap used so far, so each pair is visited once: the work is
    bounded by the trie's states within the reach of a gap, whatever the text.
    """
    phrases: list[str] = []
    waiting = [(node, position, GAP_WIDTH)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        node, position, room = waiting.pop()
        if (id(node), position) in seen:
            continue
        seen.add((id(node), position))
        phrases += node.phrases
        if node.next and position < len(tokens) and (following := node.next.get(tokens[position])):
            waiting.append((following, position + 1, room))
        if node.after_gap:
            waiting += _after_gap(node.after_gap, tokens, position, room)
    return phrases


def _after_gap(
    node: _Node, tokens: list[str], position: int, room: int
) -> list[tuple[_Node, int, int]]:
    """States reached by the words after a gap that begins at `position`."""
    reached: list[tuple[_Node, int, int]] = []
    reach = tokens[position : position + room + 1]
    if node.next.keys().isdisjoint(reach):  # most gaps lead nowhere
        return reached
    for index, token in enumerate(reach, start=position + 1):
        if token in SENTENCE_ENDS:
            break
        if following := node.next.get(token):
            reached.append((following, index, room))
        room -= half_words(token)
        if room < 0:
            break
    return reached


def _lead_end(tokens: list[str]) -> int:
    """Number of tokens in the first LEAD_WIDTH half-words."""
    room = LEAD_WIDTH
    for index, token in enumerate(tokens):
        room -= half_words(token)
        if room < 0:
            return index
    return len(tokens)


_matchers: dict[str, _Matcher] = {}


def _matcher(profile: Profile) -> _Matcher:
    """The profile's matcher, made once per process and profile."""
    matcher = _matchers.get(profile.sha256)
    if matcher is None:
        if len(_matchers) >= _CACHED_MATCHERS:
            _matchers.clear()
        matcher = _matchers[profile.sha256] = _Matcher(profile)
    return matcher
