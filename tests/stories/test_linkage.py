from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.stories.linkage import CUT, Pair, components, linked_groups

PAIRS = st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1])
WEIGHTS = st.dictionaries(PAIRS, st.floats(0.2, 1.0), max_size=25)


def test_components_are_ordered_and_complete() -> None:
    assert components([(5, 7), (1, 2), (2, 3)]) == ((1, 2, 3), (5, 7))


def test_a_clique_is_one_group() -> None:
    weights = {(1, 2): 0.9, (1, 3): 0.5, (2, 3): 0.6}
    assert linked_groups(weights.keys(), weights) == ((1, 2, 3),)


def test_a_chain_of_three_versions_holds_and_a_bridge_between_two_stories_does_not() -> None:
    chain = {(1, 2): 0.6, (2, 3): 0.6}
    assert linked_groups(chain.keys(), chain) == ((1, 2, 3),)
    stories = {
        (a, b): 0.9 for group in ((1, 2, 3), (4, 5, 6)) for a in group for b in group if a < b
    }
    bridged = {**stories, (3, 4): 0.5}
    assert linked_groups(bridged.keys(), bridged) == ((1, 2, 3), (4, 5, 6))


def test_a_person_s_same_joins_and_different_separates() -> None:
    weights = {(1, 2): 0.9, (2, 3): 0.9, (1, 3): 0.9}
    assert linked_groups(weights.keys(), weights, same={(3, 8)}) == ((1, 2, 3, 8),)
    groups = linked_groups(weights.keys(), weights, different={(1, 3)})
    assert not any({1, 3} <= set(group) for group in groups)
    assert sorted(member for group in groups for member in group) == [1, 2, 3]


def test_different_holds_against_a_chain_of_same() -> None:
    groups = linked_groups(set(), {}, same={(1, 2), (2, 3)}, different={(1, 3)})
    assert not any({1, 3} <= set(group) for group in groups)


@given(WEIGHTS, st.sets(PAIRS, max_size=4), st.sets(PAIRS, max_size=4), st.randoms())
def test_groups_are_a_partition_that_ignores_order_and_obeys_judgements(
    weights: dict[Pair, float], same: set[Pair], different: set[Pair], chance: st.DataObject
) -> None:
    groups = linked_groups(weights.keys(), weights, same, different)
    members = [member for group in groups for member in group]
    assert len(members) == len(set(members))
    assert set(members) == {one for pair in weights.keys() | same for one in pair}
    place = {member: number for number, group in enumerate(groups) for member in group}
    assert not any(place.get(a, -1) == place.get(b, -2) for a, b in different)
    shuffled = list(weights.items())
    chance.shuffle(shuffled)
    assert linked_groups(dict(shuffled).keys(), dict(shuffled), same, different) == groups


@given(WEIGHTS)
def test_a_group_of_two_has_a_weight_over_the_cut(weights: dict[Pair, float]) -> None:
    for group in linked_groups(weights.keys(), weights):
        if len(group) == 2:
            assert weights[group[0], group[1]] >= CUT
