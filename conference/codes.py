"""What identifies a ticket: the signed code in its QR, and the short code that people read.

The signed code is `PREFIX` and 119 characters of unpadded base32. They carry 74 bytes:

    version (1) · key id (1) · ticket number (8, big-endian) · Ed25519 signature (64)

Together 122 characters, exactly what a QR symbol of version 5 holds at error correction level M
in alphanumeric mode. Base32 has one case and no punctuation, so a keyboard-wedge scanner types
it correctly with Caps Lock on and under any Latin keyboard layout. The prefix contains a 1, which
base32 does not use, so the beginning is found in whatever a scanner puts before it.

The signature covers the prefix and the first 10 bytes. It names no person: a corrected name keeps
its printed ticket. Signing again gives the same text, so nothing of it is stored.
"""

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

PREFIX = "OD1"
VERSION = 1
LENGTH = 122

_HEADER_BYTES = 10
_SIGNED_CODE = re.compile(PREFIX + r"([A-Z2-7]{119})")

# Crockford's base32: no I, L, O or U, so nothing is misread and no word comes about by chance.
SHORT_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHORT_CODE = re.compile(rf"[{SHORT_ALPHABET}]{{8}}")
_MISREAD = str.maketrans("ILO", "110")
_SEPARATORS = re.compile(r"[\s.,_\-\u2010-\u2015\u2212]+")


class NotATicket(ValueError):
    """The text is no ticket code of ours, or one of a version that this software does not know."""


class UnknownKey(ValueError):
    """The code names a signing key that is not ours."""


class BadSignature(ValueError):
    """The code looks like ours, but was made or changed by somebody else."""


@dataclass(frozen=True)
class Reading:
    """What a genuine signed code says."""

    number: int
    key_id: int
    version: int


@lru_cache(maxsize=16)
def _signing_key(seed: bytes) -> Ed25519PrivateKey:
    # Deriving the key costs more than a signature, hence one object per seed and process.
    return Ed25519PrivateKey.from_private_bytes(seed)


def _text(data: bytes) -> str:
    return PREFIX + base64.b32encode(data).decode().rstrip("=")


def _seeds() -> Mapping[int, bytes]:
    seeds: Mapping[int, bytes] = settings.TICKET_SIGNING_KEYS
    return seeds


def sign(number: int) -> str:
    """Return the signed code of the ticket with this number (0 to 2**64 - 1).

    The key with the highest id signs; `settings.TICKET_SIGNING_KEYS` is {key id: 32-byte seed}.
    Raises OverflowError for a number out of range.
    """
    seeds = _seeds()
    key_id = max(seeds)
    header = bytes((VERSION, key_id)) + number.to_bytes(8, "big")
    return _text(header + _signing_key(seeds[key_id]).sign(PREFIX.encode() + header))


def read(text: str) -> Reading:
    """Return what a signed code says, once its signature has been verified.

    Lower case, white space anywhere and other characters before or after the code (scanners add
    them) are tolerated. Raises NotATicket, UnknownKey or BadSignature.
    """
    found = _SIGNED_CODE.search("".join(text.split()).upper())
    if found is None:
        raise NotATicket("no ticket code")
    data = base64.b32decode(found[1] + "=")
    if _text(data) != found[0]:
        # Three bits of the last character are unused. Accept only the text that we would write.
        raise BadSignature("the last character was changed")
    header, signature = data[:_HEADER_BYTES], data[_HEADER_BYTES:]
    version, key_id = header[0], header[1]
    if version != VERSION:
        raise NotATicket(f"ticket code of unknown version {version}")
    seed = _seeds().get(key_id)
    if seed is None:
        raise UnknownKey(f"unknown signing key {key_id}")
    try:
        _signing_key(seed).public_key().verify(signature, PREFIX.encode() + header)
    except InvalidSignature:
        raise BadSignature("the signature does not fit") from None
    return Reading(number=int.from_bytes(header[2:], "big"), key_id=key_id, version=version)


def public_keys() -> dict[int, str]:
    """Return {key id: raw 32-byte public key in base64} for verifying codes elsewhere.

    A browser can import them by `crypto.subtle.importKey('raw', …, 'Ed25519', …)`.
    """
    return {
        key_id: base64.b64encode(
            _signing_key(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        ).decode()
        for key_id, seed in sorted(_seeds().items())
    }


def short_code() -> str:
    """Return a random code that people can read out and type, as XXXX-XXXX (40 bits)."""
    code = "".join(secrets.choice(SHORT_ALPHABET) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"


def normalise_short(text: str) -> str:
    """Return a typed short code in the form XXXX-XXXX.

    Lower case, spaces, other or missing dashes, I and L for 1 and O for 0 are put right.
    Raises NotATicket if what remains is not eight characters of Crockford's base32.
    """
    code = _SEPARATORS.sub("", text).upper().translate(_MISREAD)
    if not _SHORT_CODE.fullmatch(code):
        raise NotATicket("no short code")
    return f"{code[:4]}-{code[4:]}"
