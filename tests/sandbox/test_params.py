"""Form bodies, read as Stripe reads them."""

import pytest

from sandbox.errors import Refusal
from sandbox.params import Array, Flag, Metadata, Text, check, parse_form


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a[0][x]=1&a[1][x]=2", {"a": {"0": {"x": "1"}, "1": {"x": "2"}}}),
        ("e[]=x&e[]=y", {"e": {"0": "x", "1": "y"}}),
        ("n=%C5%81ucja+%26+Co", {"n": "Łucja & Co"}),
        ("", {}),
    ],
)
def test_parse_form_nests(body: str, expected: dict[str, object]) -> None:
    assert parse_form(body) == expected


@pytest.mark.parametrize(
    "body", ["a=1&a[b]=2", "a[b]=2&a=1", "[a]=1", "a[b=1", "a[[b]]=1", "a=%FF"]
)
def test_parse_form_refuses(body: str) -> None:
    with pytest.raises(Refusal):
        parse_form(body)


def test_check_orders_arrays_and_drops_unset_metadata() -> None:
    shape = {"list": Array(of=Text()), "metadata": Metadata(), "on": Flag()}
    given = parse_form("list[1]=b&list[0]=a&list[10]=c&metadata[x]=1&metadata[y]=&on=true")
    assert check(shape, given) == {"list": ["a", "b", "c"], "metadata": {"x": "1"}, "on": True}


def test_check_names_every_unknown_parameter() -> None:
    with pytest.raises(Refusal) as raised:
        check({"a": Text()}, parse_form("a=1&b=2&c[d]=3"))
    assert raised.value.message.partition(". ")[0] == "Received unknown parameters: b, c"


@pytest.mark.parametrize("body", ["on=yes", "on[a]=true", "list=a", "list[x]=a", "metadata=x"])
def test_check_refuses_the_wrong_kind(body: str) -> None:
    shape = {"list": Array(of=Text()), "metadata": Metadata(), "on": Flag()}
    with pytest.raises(Refusal):
        check(shape, parse_form(body))
