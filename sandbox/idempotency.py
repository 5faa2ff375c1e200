"""Answers kept by idempotency key (docs.stripe.com/api/idempotent_requests).

The same key with the same parameters gets the first answer again, be it an error; with other
parameters it is refused; while the first call is still executing the second gets a 409. The
errors of parameters that failed validation are not kept. A key is forgotten after 24 hours.
"""

import hashlib
from urllib.parse import parse_qsl

from sandbox.account import Account
from sandbox.errors import Refusal
from sandbox.events import Cause
from sandbox.objects import Row

LIFETIME = 24 * 60 * 60  # seconds
_LONGEST = 255


def fingerprint(body: str) -> str:
    """A digest of the parameters that does not depend on their order."""
    pairs = sorted(parse_qsl(body, keep_blank_values=True))
    return hashlib.sha256(repr(pairs).encode()).hexdigest()


class Keys:
    """Which keys belong to calls that are executing, and what was answered to earlier ones."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._under_way: set[str] = set()

    def begin(self, key: str, path: str, body: str) -> Row | None:
        """The answer kept for this key, or None: then the key is in use until `end`.

        Raises Refusal where the key is in use, or was used for something else.
        """
        if len(key) > _LONGEST:
            raise Refusal(f"Idempotency keys may be up to {_LONGEST} characters long.")
        with self._account.store.lock:
            if key in self._under_way:
                raise Refusal(
                    "There is currently another in-progress request using this Idempotent Key "
                    "(that probably means you submitted twice, and the other request is still "
                    f"going through): {key}. Please try again later.",
                    status=409,
                    code="idempotency_key_in_use",
                )
            kept = self._account.store.get("answers", key)
            if kept is None or kept["created"] + LIFETIME <= self._account.now():
                self._under_way.add(key)
                return None
        if kept["path"] != path:
            raise Refusal(
                "Keys for idempotent requests can only be used for the same endpoint they were "
                f"first used for ('{kept['path']}' vs '{path}'). Try using a key other than "
                f"'{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        if kept["fingerprint"] != fingerprint(body):
            raise Refusal(
                "Keys for idempotent requests can only be used with the same parameters they "
                f"were first used with. Try using a key other than '{key}' if you meant to "
                "execute a different request.",
                kind="idempotency_error",
            )
        return kept

    def keep(self, cause: Cause, path: str, body: str, *, status: int, answer: str) -> None:
        """Keep the answer to a call that has a key. Must run inside the call's own change."""
        if cause.idempotency_key:
            self._account.put(
                "answers",
                {
                    "id": cause.idempotency_key,
                    "path": path,
                    "fingerprint": fingerprint(body),
                    "status": status,
                    "answer": answer,
                    "request_id": cause.request_id,
                    "created": self._account.now(),
                },
            )

    def end(self, key: str) -> None:
        """The call has ended."""
        with self._account.store.lock:
            self._under_way.discard(key)
