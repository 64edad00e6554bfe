import pytest

from aidivide_archive.copies.quotes import MAX_QUOTATION_LENGTH, quoted_mask


def inside(text: str) -> str:
    mask = quoted_mask(text)
    return "".join(letter for letter, quoted in zip(text, mask, strict=True) if quoted)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("He said “we will go” today", "“we will go”"),
        ('He said "we will go" today', '"we will go"'),
        ("Er sagte „wir gehen“ heute", "„wir gehen“"),
        ("Er sagte »wir gehen« heute", "»wir gehen«"),
        ("Han sa ”vi ska gå” i dag", "”vi ska gå”"),
        ("Il dit « nous partons » hier", "« nous partons »"),
        ("他说：“我们会去”今天", "“我们会去”"),
        ("他说「我们会去」今天", "「我们会去」"),
        ("He said ‘we will surely go’ today", "‘we will surely go’"),
    ],
)
def test_each_kind_of_quotation_mark_is_known(text: str, quoted: str) -> None:
    assert inside(text) == quoted


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('He said "we will go” today', '"we will go”'),
        ('He said “we will go" today', '“we will go"'),
        ("‘We will go.\nA caption.", "‘We will go."),
        ('"We will go.\nA caption.', '"We will go.'),
        ("「我们会去\n「明天", "「我们会去「明天"),
    ],
)
def test_mixed_and_unclosed_marks_are_followed(text: str, quoted: str) -> None:
    assert inside(text) == quoted


@pytest.mark.parametrize("mark", ["“", '"', "„", "«", "「"])
def test_a_lost_closing_mark_quotes_nothing(mark: str) -> None:
    assert (
        inside(f"The hall is open. {mark}Nobody closes this. Mara Lind left.\nShe is away.") == ""
    )


def test_an_open_quotation_ends_with_its_paragraph() -> None:
    assert inside("“First part.\n“Second part.” He left.") == "“First part.“Second part.”"


@pytest.mark.parametrize(
    "text", ["It's the firms' fault, isn't it", "6' 2\" tall", "rock 'n' roll", "no marks", ""]
)
def test_apostrophes_and_inches_quote_nothing(text: str) -> None:
    assert inside(text) == ""


def test_a_misplaced_mark_does_not_quote_the_whole_text() -> None:
    assert inside("“" + "word " * MAX_QUOTATION_LENGTH) == ""
