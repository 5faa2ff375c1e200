"""Pence in, pounds out, and nothing else taken for money."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conference.money import CommaForPoint, NotAnAmount, format_pounds, parse_pounds

MOST = 99_999_999_999


@given(st.integers(min_value=0, max_value=MOST))
@example(0)
@example(1)
@example(99)
@example(100)
@example(100_000)
@example(MOST)
def test_what_is_shown_is_read_back(pence: int) -> None:
    assert parse_pounds(format_pounds(pence)) == pence


@given(st.integers(min_value=0, max_value=MOST))
def test_pence_survive_every_way_of_writing(pence: int) -> None:
    pounds, rest = divmod(pence, 100)
    ways = [f"{pounds}.{rest:02}", f"£{pounds}.{rest:02}", f" £ {pounds}.{rest:02} "]
    if rest == 0:
        ways.append(str(pounds))
    if rest % 10 == 0:
        ways.append(f"{pounds}.{rest // 10}")
    assert {parse_pounds(way) for way in ways} == {pence}


@given(st.text(max_size=20))
@example("1e3")
@example("١٢")
@example("1_000")
@example("1٫5")
def test_any_other_text_is_refused_or_a_plain_number(text: str) -> None:
    try:
        pence = parse_pounds(text)
    except NotAnAmount:
        return
    digits = re.sub(r"[£, ]", "", text.strip())
    assert re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", digits)
    pounds, _, rest = digits.partition(".")
    assert pence == int(pounds) * 100 + int((rest + "00")[:2])


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("0", 0),
        ("0.10", 10),
        ("1", 100),
        ("20", 2000),
        ("20.5", 2050),
        ("20.50", 2050),
        ("£20", 2000),
        ("£ 20", 2000),
        ("1,000", 100_000),
        ("1,000.50", 100_050),
        ("£1,234,567", 123_456_700),
        ("007", 700),
        ("999999999", 99_999_999_900),
    ],
)
def test_amounts_as_people_write_them(text: str, pence: int) -> None:
    assert parse_pounds(text) == pence


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "£",
        "1e3",
        "-5",
        "+5",
        "NaN",
        "nan",
        "inf",
        "Infinity",
        "0x10",
        "1234567890",
        "20.505",
        ".5",
        "5.",
        "1,00,000",
        "10,0000",
        "1,000,000,000",
        "20 pounds",
        "20p",
        "$20",
        "20€",
        "1 000",
        "1_000",
        "２０",
        "٢٠",
        "20\n30",
        "twenty",
        "1/2",
        "20.50.1",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount) as caught:
        parse_pounds(text)
    assert type(caught.value) is NotAnAmount


@pytest.mark.parametrize("text", ["20,50", "20,5", "£20,50", "0,10", "1000,00"])
def test_comma_where_pence_begin_is_asked_about(text: str) -> None:
    with pytest.raises(CommaForPoint):
        parse_pounds(text)


@pytest.mark.parametrize(
    ("pence", "text"),
    [
        (0, "£0"),
        (1, "£0.01"),
        (1500, "£15"),
        (1550, "£15.50"),
        (100_000, "£1,000"),
        (123_456_789, "£1,234,567.89"),
        (-300, "-£3"),
        (-1, "-£0.01"),
    ],
)
def test_pence_are_shown_as_people_read_them(pence: int, text: str) -> None:
    assert format_pounds(pence) == text
