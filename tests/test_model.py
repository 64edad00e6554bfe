"""The tables of the model: what is said of a reason, a page kind, a URL kind, a channel, is said once and completely."""

import pickle

from aidivide_archive.config import Source
from aidivide_archive.evidence import EvidenceKind
from aidivide_archive.model import (
    LISTING_PRIORITY,
    Channel,
    PageKind,
    Reason,
    Relation,
    UrlKind,
    UrlState,
)


def test_every_reason_has_words_of_its_own_and_a_state_that_can_be_reached():
    assert all(reason.words for reason in Reason)
    assert len({reason.words for reason in Reason}) == len(Reason)
    assert {reason.state for reason in Reason} == {
        UrlState.DONE,
        UrlState.REJECTED,
        UrlState.FAILED,
    }
    assert Reason("timeout").state is UrlState.FAILED


def test_a_page_that_becomes_no_article_has_the_reason_of_its_name():
    assert {kind for kind in PageKind if kind.reason is None} == {
        PageKind.ARTICLE,
        PageKind.LIVE_BLOG,
    }
    assert PageKind.SOFT_404.reason is Reason.SOFT_404
    for kind in PageKind:
        if (reason := kind.reason) is not None:
            assert reason.state is UrlState.REJECTED


def test_listings_come_before_pages_and_have_a_key_in_the_profile():
    assert {kind for kind in UrlKind if kind.priority < LISTING_PRIORITY} == {UrlKind.PAGE}
    assert {kind.key for kind in UrlKind} <= Source.model_fields.keys()
    source = Source.model_validate(
        {"name": "x", "domain": "x.example"}
        | {kind.key: (f"https://x.example/{kind}",) for kind in UrlKind}
    )
    named = list(source.addresses())
    assert set(named) == {(kind, f"https://x.example/{kind}") for kind in UrlKind}
    assert named[0] == (UrlKind.SITEMAP, "https://x.example/sitemap")
    assert named[-1] == (UrlKind.PAGE, "https://x.example/page")


def test_what_a_program_came_upon_is_not_listed():
    assert {channel for channel in Channel if not channel.is_listed} == {
        Channel.HUB,
        Channel.LINK,
        Channel.REDIRECT,
    }


def test_only_copies_and_excerpts_make_stories_and_template_news_is_listed_on_request() -> None:
    assert Relation.COPY.in_stories
    assert Relation.EXCERPT.in_stories
    assert not Relation.SHARED_STATEMENT.in_stories
    assert not Relation.TEMPLATE.in_stories
    assert not Relation.TEMPLATE.is_listed
    assert all(relation.is_listed for relation in Relation if relation.in_stories)


def test_members_go_through_a_workers_socket_as_themselves():
    for member in (*Reason, *UrlKind, *Channel, *Relation, *EvidenceKind):
        assert pickle.loads(pickle.dumps(member)) is member
        assert type(member)(member.value) is member
