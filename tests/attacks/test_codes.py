"""Somebody without a ticket wants to come in: by a code forged, altered, guessed, lent or replayed.

Only a code that we signed, or a short one of 40 random bits, opens the door, once; whoever tries
others at the door learns nothing of who has booked, and takes nobody else's entry back.
"""

import base64
import secrets
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from conference import codes
from tests.factories import make_conference, make_gate, make_order
from tests.tickets.door.phones import at_door, make_door, scan
from tickets.models import UNDO_WITHIN, Scan, Ticket

pytestmark = pytest.mark.django_db

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def bytes_of(code: str) -> bytes:
    return base64.b32decode(code.removeprefix(codes.PREFIX) + "=")


def code_of(data: bytes) -> str:
    return codes.PREFIX + base64.b32encode(data).decode().rstrip("=")


def signed(header: bytes, *, prefix: str = codes.PREFIX, seed: bytes = bytes(32)) -> str:
    """A code by somebody who knows all of our code but not our key."""
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(prefix.encode() + header)
    return code_of(header + signature)


def changed(code: str, at: int) -> str:
    return code[:at] + ALPHABET[ALPHABET.index(code[at]) ^ 16] + code[at + 1 :]


def forged(ticket: Ticket) -> dict[str, str]:
    """Codes that are not the ticket's, made by somebody who has seen it."""
    code = ticket.code
    data = bytes_of(code)
    header, signature = data[:10], data[10:]
    our_seed = settings.TICKET_SIGNING_KEYS[max(settings.TICKET_SIGNING_KEYS)]
    next_number = (ticket.number + 1).to_bytes(8, "big")
    # The unused three bits of the last character.
    last = ALPHABET.index(code[-1])
    return {
        "by another key": signed(header),
        "by another key that calls itself another": signed(bytes((1, 77)) + header[2:]),
        "key id 0": code_of(bytes((1, 0)) + data[2:]),
        "version 0": code_of(bytes((0,)) + data[1:]),
        "version 2, signed by us": signed(bytes((2,)) + header[1:], seed=our_seed),
        "signed by us for another use": signed(header, prefix="", seed=our_seed),
        "the next number under the same signature": code_of(header[:2] + next_number + signature),
        "no signature": code_of(header + bytes(64)),
        "a signature of ones": code_of(header + b"\xff" * 64),
        "halves of the signature swapped": code_of(header + signature[32:] + signature[:32]),
        "the neutral element": code_of(header + b"\x01" + bytes(63)),
        **{f"unused bits {bits}": code[:-1] + ALPHABET[last ^ bits] for bits in range(1, 8)},
        "cut short": code[:-1],
        "without its beginning": code[3:],
        "another prefix": "OD2" + code[3:],
        "padded": code.replace(codes.PREFIX, codes.PREFIX + "A"),
        "backwards": code[::-1],
        "nothing": "",
        "spaces": " " * 500,
        "zero bytes": "\0" * 122,
        "megabytes": "A" * 900_000,
        "many beginnings": codes.PREFIX * 300,
        **{f"character {at} changed": changed(code, at) for at in range(3, codes.LENGTH)},
    }


def test_no_code_that_we_did_not_write_opens_the_door() -> None:
    gate, [ticket] = make_door()
    door = at_door()
    told = {what: scan(door, gate, code)["outcome"] for what, code in forged(ticket).items()}
    assert {what: outcome for what, outcome in told.items() if outcome != "not a ticket"} == {}
    # Nobody is named to whoever tries.
    assert not Scan.objects.exclude(ticket=None).exists()
    assert scan(door, gate, ticket.code)["outcome"] == "admitted"


def test_one_ticket_is_one_entry_however_its_code_is_written() -> None:
    gate, [ticket] = make_door()
    door, code = at_door(), ticket.code
    written = {
        "as it is": code,
        "once more": code,
        "lower case": code.lower(),
        "twice over": code + code,
        "with another before it": signed(bytes(10))[:60] + code,
        "spread out": " ".join(code),
        "in an address": f"https://example.org/?c={code}&x=1",
        "the short one": ticket.reference,
        "the short one, misread": ticket.reference.lower().replace("0", "o").replace("1", "l"),
        "after a thousand other letters": "A" * 878 + code,
    }
    outcomes = {what: scan(door, gate, text)["outcome"] for what, text in written.items()}
    assert outcomes.pop("as it is") == "admitted"
    assert set(outcomes.values()) == {"already in"}
    assert Scan.objects.standing_entries().count() == 1
    # What a scanner never types is cut off before it is looked at.
    assert scan(door, gate, "A" * 1000 + code)["outcome"] == "not a ticket"


def test_two_codes_in_one_are_the_first() -> None:
    gate, [ada, grace] = make_door(("Ada", "Grace"))
    door = at_door()
    assert scan(door, gate, ada.code + grace.code)["name"] == "Ada"
    assert scan(door, gate, grace.code)["outcome"] == "admitted"


def test_ticket_of_another_conference_or_of_nothing_any_more_is_refused() -> None:
    gate, [ada, grace] = make_door(("Ada", "Grace"))
    other = make_order(make_conference(), names=("Edith",)).tickets.get()
    waiting = make_order(gate.conference, names=("Joan",), gift_pence=500).tickets.get()
    Ticket.objects.filter(pk=grace.pk).update(status="cancelled")
    door = at_door()
    told = {t.attendee_name: scan(door, gate, t.code) for t in (other, waiting, grace)}
    assert {name: said["outcome"] for name, said in told.items()} == {
        "Edith": "other conference",
        "Joan": "not confirmed",
        "Grace": "cancelled",
    }
    assert told["Edith"]["name"] == ""
    assert scan(door, gate, ada.code)["outcome"] == "admitted"


def test_short_codes_cannot_be_guessed() -> None:
    """A volunteer who tries a code a second for a day hits one of 1,000 with one in 12,700."""
    gate, tickets = make_door(tuple(f"Person {number}" for number in range(10)))
    door = at_door()
    known = {ticket.reference for ticket in tickets}
    guesses = [codes.short_code() for _ in range(80)]
    guesses += [ticket.reference[:-1] + "Z" for ticket in tickets]
    guesses += ["____-____", "%", "%%%%-%%%%", "' OR ''='", "0000-0000", "ZZZZ-ZZZZ", "*"]
    told = Counter(scan(door, gate, guess)["outcome"] for guess in set(guesses) - known)
    assert told.keys() == {"unknown", "not a ticket"}
    # Each try is on record, with who tried.
    assert Scan.objects.filter(by__isnull=False).count() == sum(told.values())


def test_number_of_a_scan_opens_nothing_a_second_time() -> None:
    gate, [ada, grace] = make_door(("Ada", "Grace"))
    door, number = at_door(), uuid.uuid4()
    first = scan(door, gate, "nonsense", number)
    # A refusal is not turned into an entry, nor an entry into another's.
    assert scan(door, gate, ada.code, number) == first
    assert scan(door, gate, ada.code)["outcome"] == "admitted"
    entry = Scan.objects.standing_entries().get()
    assert scan(door, gate, grace.code, entry.pk)["name"] == "Ada"
    assert Scan.objects.standing_entries().count() == 1
    for bad in ("", "1", "not-a-number", "' OR 1=1 --", str(uuid.uuid4()) * 2, "{" * 1000):
        answer = door.post(f"/door/{gate.slug}/scan/", {"id": bad, "code": grace.code})
        assert answer.status_code == 400
    assert Scan.objects.standing_entries().count() == 1


def test_entry_is_taken_back_only_where_and_while_it_may_be() -> None:
    elsewhere = make_gate(make_conference())
    gate, [ada, _grace] = make_door(("Ada", "Grace"))
    door = at_door()
    entry = scan(door, gate, ada.code)["id"]
    refused = scan(door, gate, ada.code)["id"]

    def undo(number: str, at: str = gate.slug) -> int:
        return door.post(f"/door/{at}/undo/", {"id": number}).status_code

    assert [undo(bad) for bad in ("", "1", str(uuid.uuid4()), refused)] == [409] * 4
    assert undo(entry, elsewhere.slug) == 409
    assert door.get(f"/door/{gate.slug}/undo/?id={entry}").status_code == 405
    Scan.objects.filter(pk=entry).update(received_at=timezone.now() - UNDO_WITHIN * 1.1)
    assert undo(entry) == 409
    Scan.objects.filter(pk=entry).update(received_at=timezone.now() - timedelta(minutes=1))
    assert [undo(entry), undo(entry)] == [200, 409]
    # Taken back, the same scan sent again is no entry; the ticket itself is.
    assert scan(door, gate, ada.code, uuid.UUID(entry))["outcome"] == "undone"
    assert scan(door, gate, ada.code)["outcome"] == "admitted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("written", [lambda t: t.code, lambda t: t.reference], ids=["QR", "short"])
def test_copies_shown_at_two_doors_at_once_let_one_person_in(
    written: Callable[[Ticket], str],
) -> None:
    gate, [ticket] = make_door()
    gates = [gate, make_gate(gate.conference, "Garden door")]
    doors = [at_door(), at_door()]

    def show(number: int) -> str:
        try:
            return str(scan(doors[number % 2], gates[number % 2], written(ticket))["outcome"])
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as together:
        told = Counter(together.map(show, range(12)))
    assert told == {"admitted": 1, "already in": 11}


def test_strangers_learn_nothing_at_the_door() -> None:
    gate, [ticket] = make_door()
    stranger = Client()
    for path in ("scan", "undo"):
        for code in (ticket.code, ticket.reference, secrets.token_hex(8)):
            sent = {"id": str(uuid.uuid4()), "code": code}
            answer = stranger.post(f"/door/{gate.slug}/{path}/", sent)
            assert (answer.status_code, answer.json()) == (401, {"error": "You are logged out."})
    assert not Scan.objects.exists()
