"""Search at the door: organisers only, by name, bounded."""

from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.tickets.door.phones import at_door, make_door, scan
from tickets.models import Gate

pytestmark = pytest.mark.django_db


def found(client: Client, gate: Gate, words: str) -> list[str]:
    """The names on the page for a search."""
    page = client.post(f"/door/{gate.slug}/search/", {"q": words})
    return [row.ticket.attendee_name for row in page.context["rows"] or []]


def test_search_finds_names_from_three_letters_on() -> None:
    gate = factories.make_gate(factories.make_conference())
    people = ("Ada Lovelace", "Łucja Nowak", "山田")
    factories.make_order(gate.conference, names=people, name="Zoë Quist")
    client = at_door("organiser")
    assert found(client, gate, "quist") == [*people]
    assert found(client, gate, "LOVE") == ["Ada Lovelace"]
    assert found(client, gate, "ada love") == ["Ada Lovelace"]
    assert found(client, gate, "łuc") == ["Łucja Nowak"]
    assert found(client, gate, "山田") == ["山田"]
    assert found(client, gate, "zzz") == []
    assert found(client, gate, "qu\0ist") == []  # no name has such a character
    short = client.post(f"/door/{gate.slug}/search/", {"q": "ad %"})
    assert short.context["rows"] is None
    assert "Enter three letters or more" in short.content.decode()


def test_search_shows_twenty_rows_at_most() -> None:
    gate, _ = make_door(tuple(f"Kim {n}" for n in range(10)))
    for _unused in range(2):
        factories.make_order(gate.conference, names=tuple(f"Kim {n}" for n in range(10)))
    assert len(found(at_door("organiser"), gate, "Kim")) == 20


@pytest.mark.parametrize("people", [1, 3])
def test_search_takes_the_same_statements_however_many_are_found(
    people: int, django_assert_num_queries: Any
) -> None:
    gate, _ = make_door(("Robin",) * people)
    client = at_door("organiser")
    # Session, person, gate, allowance, tickets, organisation.
    with django_assert_num_queries(6):
        assert found(client, gate, "robin") == ["Robin"] * people


def test_search_offers_check_in_only_for_who_may_enter() -> None:
    gate, [ada, bo] = make_door(("Robin Ada", "Robin Bo"))
    factories.make_order(gate.conference, names=("Robin Cy",), gift_pence=500)
    client = at_door("organiser")
    scan(client, gate, ada.code)
    page = client.post(f"/door/{gate.slug}/search/", {"q": "robin"})
    assert [(row.may_enter, bool(row.since)) for row in page.context["rows"]] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    assert page.content.decode().count('name="code"') == 1
    entered = client.post(
        f"/door/{gate.slug}/", {"form": str(page.context["form_id"]), "code": bo.reference}
    )
    assert entered.context["result"]["name"] == "Robin Bo"
    assert entered.context["result"]["outcome"] == "admitted"


def test_search_is_bounded() -> None:
    gate, _ = make_door()
    client = at_door("organiser")
    answers = [
        client.post(f"/door/{gate.slug}/search/", {"q": "nobody"}).status_code for _n in range(61)
    ]
    assert answers[:60].count(200) + answers[60:].count(429) >= 60
    assert set(answers) <= {200, 429}
