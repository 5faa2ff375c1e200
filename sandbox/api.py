"""One call of the API, from the request to the answer."""

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox import calls, checkout
from sandbox.account import Account
from sandbox.calls import Call
from sandbox.errors import Refusal
from sandbox.events import Cause
from sandbox.faults import Fault, Faults
from sandbox.idempotency import Keys
from sandbox.objects import API_VERSION, new_id
from sandbox.params import check, parse_form

_KEY = re.compile(r"(sk|rk)_test_[A-Za-z0-9_]{3,}\Z")
_FORM = "application/x-www-form-urlencoded"


class Cut(Exception):
    """A fault wants the connection closed without an answer."""


@dataclass(frozen=True)
class Request:
    """A call. `headers` has lower-case names; `body` is the form, or the query of a GET."""

    method: str
    path: str
    body: str
    headers: Mapping[str, str]


@dataclass
class Answer:
    """The answer to a call; `text` is JSON."""

    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _server_error() -> Refusal:
    return Refusal("An unknown error occurred", status=500, kind="api_error", stored=True)


_FAULTS = {
    "409": Refusal(
        "This object cannot be accessed right now because another API request or Stripe process "
        "is currently accessing it.",
        status=409,
        code="lock_timeout",
    ),
    "429": Refusal("Request rate limit exceeded.", status=429, code="rate_limit"),
}


class Api:
    """Answers calls. Safe from any number of threads."""

    def __init__(self, account: Account, faults: Faults) -> None:
        self._account = account
        self._faults = faults
        self._keys = Keys(account)
        # The latest calls: (method, path, status); 0 where the connection was cut.
        self.log: deque[tuple[str, str, int]] = deque(maxlen=1000)

    def answer(self, request: Request) -> Answer:
        """The answer to one call. Raises Cut."""
        request_id = new_id("req")
        status = 0
        try:
            answer = self._answer(request, request_id)
            status = answer.status
        except Refusal as refusal:
            answer = Answer(refusal.status, _json(refusal.body()))
            status = answer.status
        finally:
            self.log.append((request.method, request.path, status))
        answer.headers.setdefault("Request-Id", request_id)
        answer.headers["Stripe-Version"] = API_VERSION
        key = request.headers.get("idempotency-key")
        if key and request.method == "POST":
            answer.headers["Idempotency-Key"] = key
            if answer.status >= 500:
                # A repeat with this key would only be given the same answer.
                answer.headers["Stripe-Should-Retry"] = "false"
        return answer

    def _answer(self, request: Request, request_id: str) -> Answer:
        _check_key(request.headers)
        _check_form(request)
        call, identifier = calls.find(request.method, request.path)
        fault = self._faults.take_call(request.method, request.path)
        if fault is not None and fault.kind in _FAULTS:
            raise _FAULTS[fault.kind]
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if not key:
            return self._perform(call, identifier, request, Cause(request_id), fault)
        kept = self._keys.begin(key, request.path, request.body)
        if kept is not None:
            if fault is not None and fault.kind == "commit_cut":
                raise Cut
            return Answer(
                kept["status"],
                kept["answer"],
                {"Idempotent-Replayed": "true", "Original-Request": kept["request_id"]},
            )
        try:
            return self._perform(call, identifier, request, Cause(request_id, key), fault)
        finally:
            self._keys.end(key)

    def _perform(
        self, call: Call, identifier: str, request: Request, cause: Cause, fault: Fault | None
    ) -> Answer:
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind == "hang":
            fault.cleared.wait(fault.seconds)
        params = check(call.shape, parse_form(request.body))
        try:
            if kind == "500":
                raise _server_error()
            answer = self._commit(call, identifier, params, request, cause, kind)
        except Refusal as refusal:
            if refusal.stored:
                with self._account.store.change():
                    self._keep(cause, request, Answer(refusal.status, _json(refusal.body())))
            raise
        if kind == "commit_cut":
            raise Cut
        return answer

    def _commit(
        self,
        call: Call,
        identifier: str,
        params: dict[str, object],
        request: Request,
        cause: Cause,
        kind: str,
    ) -> Answer:
        """Make the change and keep its answer for the idempotency key, both or neither."""
        checkout.expire_due(self._account)
        with self._account.store.change():
            result = call.function(self._account, identifier, params, cause)
            answer = Answer(200, _json(result))
            if kind == "commit_500":
                answer = Answer(500, _json(_server_error().body()))
            self._keep(cause, request, answer)
        return answer

    def _keep(self, cause: Cause, request: Request, answer: Answer) -> None:
        self._keys.keep(cause, request.path, request.body, status=answer.status, answer=answer.text)


def _check_key(headers: Mapping[str, str]) -> None:
    """A secret or restricted test key, as Bearer. Raises Refusal 401."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise Refusal(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY').",
            status=401,
        )
    if not _KEY.match(value):
        shown = value[:8] + "*" * max(0, len(value) - 12) + value[-4:]
        raise Refusal(f"Invalid API Key provided: {shown}", status=401)


def _check_form(request: Request) -> None:
    version = request.headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise Refusal(
            f"Invalid Stripe API version: {version}. The local Stripe speaks {API_VERSION}."
        )
    content_type = request.headers.get("content-type", _FORM).partition(";")[0].strip()
    if request.method == "POST" and content_type != _FORM:
        raise Refusal(f"Invalid request: the body must be {_FORM}, not {content_type}.")
