"""The signed code of a ticket and its short code for people."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pytest_django import Settings

from conference import codes

OUR_SEED = bytes(range(32))
NEXT_SEED = bytes(range(32, 64))
FOREIGN_SEED = bytes(range(64, 96))
LARGEST = 2**64 - 1


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> Settings:
    """One signing key, number 1, of our own."""
    settings.TICKET_SIGNING_KEYS = {1: OUR_SEED}
    return settings


def changed(text: str, position: int) -> str:
    """Return the text with the base32 character at this position replaced by the next one."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    other = alphabet[(alphabet.index(text[position]) + 1) % 32]
    return text[:position] + other + text[position + 1 :]


@pytest.mark.parametrize("number", [0, 1, 4711, 2**63 - 1, LARGEST])
def test_signed_code_is_read_back(number: int) -> None:
    assert codes.read(codes.sign(number)) == codes.Reading(number=number, key_id=1, version=1)


def test_signed_code_is_122_characters_that_qr_and_scanners_keep() -> None:
    for number in (0, 12345, LARGEST):
        code = codes.sign(number)
        assert len(code) == codes.LENGTH == 122
        assert re.fullmatch(r"OD1[A-Z2-7]{119}", code)


def test_signed_code_is_the_same_each_time() -> None:
    assert codes.sign(7) == codes.sign(7)


def test_signed_code_differs_for_another_number() -> None:
    assert codes.sign(7) != codes.sign(8)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_signing_refuses_a_number_out_of_range(number: int) -> None:
    with pytest.raises(OverflowError):
        codes.sign(number)


@pytest.mark.parametrize(
    "typed",
    [
        "{}",
        "{}\r\n",
        " \t{} ",
        "]Q1{}",
        "]q3{}\r",
        "https://example.org/t?c={}&x=1",
        "OD1{}",
        "OD{}",
        "xxOD1xx {} zz",
    ],
)
def test_reading_tolerates_what_a_scanner_adds(typed: str) -> None:
    text = typed.format(codes.sign(99))
    assert codes.read(text).number == 99
    assert codes.read(text.lower()).number == 99
    assert codes.read(text.swapcase()).number == 99


def test_reading_tolerates_white_space_in_the_middle() -> None:
    code = codes.sign(99)
    assert codes.read(" ".join(code)).number == 99
    assert codes.read(code[:60] + "\n" + code[60:]).number == 99


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OD1",
        "https://example.org/",
        "K7QM-3XRD",
        "A" * 122,
        "OD2" + "A" * 119,
        "OD1" + "A" * 118,
        "OD1" + "A" * 60 + "1" + "A" * 58,
        "\x00" * 122,
        "محمد" * 40,
    ],
)
def test_other_text_is_not_a_ticket(text: str) -> None:
    with pytest.raises(codes.NotATicket):
        codes.read(text)


def test_every_changed_character_is_refused() -> None:
    code = codes.sign(123456789)
    for position in range(3, codes.LENGTH):
        with pytest.raises((codes.BadSignature, codes.UnknownKey, codes.NotATicket)):
            codes.read(changed(code, position))


def test_another_number_under_the_same_signature_is_a_bad_signature() -> None:
    data = base64.b32decode(codes.sign(5)[3:] + "=")
    forged = data[:9] + bytes([6]) + data[10:]
    with pytest.raises(codes.BadSignature):
        codes.read("OD1" + base64.b32encode(forged).decode().rstrip("="))


def test_bits_without_meaning_in_the_last_character_cannot_be_changed() -> None:
    code = codes.sign(5)
    with pytest.raises(codes.BadSignature):
        codes.read(changed(code, 121))


def test_code_of_a_foreign_key_with_our_id_is_a_bad_signature(keys: Settings) -> None:
    keys.TICKET_SIGNING_KEYS = {1: FOREIGN_SEED}
    foreign = codes.sign(5)
    keys.TICKET_SIGNING_KEYS = {1: OUR_SEED}
    with pytest.raises(codes.BadSignature):
        codes.read(foreign)


def test_code_of_an_unknown_key_is_named_so(keys: Settings) -> None:
    keys.TICKET_SIGNING_KEYS = {9: FOREIGN_SEED}
    foreign = codes.sign(5)
    keys.TICKET_SIGNING_KEYS = {1: OUR_SEED}
    with pytest.raises(codes.UnknownKey):
        codes.read(foreign)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_code_of_another_version_is_not_a_ticket(version: int) -> None:
    data = bytes([version]) + base64.b32decode(codes.sign(5)[3:] + "=")[1:]
    with pytest.raises(codes.NotATicket):
        codes.read("OD1" + base64.b32encode(data).decode().rstrip("="))


def test_the_highest_key_signs_and_older_ones_still_read(keys: Settings) -> None:
    older = codes.sign(5)
    keys.TICKET_SIGNING_KEYS = {1: OUR_SEED, 2: NEXT_SEED}
    newer = codes.sign(5)
    assert codes.read(older) == codes.Reading(number=5, key_id=1, version=1)
    assert codes.read(newer) == codes.Reading(number=5, key_id=2, version=1)


def test_public_keys_verify_without_the_seed(keys: Settings) -> None:
    keys.TICKET_SIGNING_KEYS = {2: NEXT_SEED, 1: OUR_SEED}
    code = codes.sign(5)
    data = base64.b32decode(code[3:] + "=")
    public = codes.public_keys()
    assert list(public) == [1, 2]
    raw = base64.b64decode(public[2])
    assert len(raw) == 32
    Ed25519PublicKey.from_public_bytes(raw).verify(data[10:], b"OD1" + data[:10])


def test_short_code_has_its_form_and_is_random() -> None:
    made = {codes.short_code() for _ in range(200)}
    assert len(made) == 200
    form = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
    assert [code for code in made if not form.fullmatch(code)] == []
    assert {codes.normalise_short(code) for code in made} == made


@pytest.mark.parametrize(
    "typed",
    [
        "K7Q1-0X1D",
        "k7q1-0x1d",
        "k7q10x1d",
        "K7QI-OXLD",
        " k7ql - oxid ",
        "k7q1 0x1d",
        "K7Q1\u20130X1D",
        "K 7 Q 1 0 X 1 D\n",
        "K7Q1.0X1D",
    ],
)
def test_normalise_short_puts_right_what_people_type(typed: str) -> None:
    assert codes.normalise_short(typed) == "K7Q1-0X1D"


@pytest.mark.parametrize("typed", ["", "K7Q1", "K7Q1-0X1DD", "K7Q1-0X1U", "K7Q1-0X1!", "محمدمحمد"])
def test_normalise_short_refuses_what_is_no_short_code(typed: str) -> None:
    with pytest.raises(codes.NotATicket):
        codes.normalise_short(typed)
