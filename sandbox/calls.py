"""The calls under /v1: which address leads to which function."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import checkout, lists, refunds, shapes
from sandbox.account import Account
from sandbox.errors import Refusal
from sandbox.events import UNDELIVERED, Cause, delivery_of
from sandbox.expand import rendered
from sandbox.lists import Keep
from sandbox.objects import Row
from sandbox.shapes import Shape

# (account, id from the address or "", checked parameters, cause) -> what is answered
Function = Callable[[Account, str, Row, Cause], Row]
# (account, checked parameters) -> which rows are listed
Filter = Callable[[Account, Row], Keep]
EVENTS_KEPT = 30 * 24 * 60 * 60  # seconds


@dataclass(frozen=True)
class Call:
    """One call of the API. `pattern` matches its path."""

    method: str
    pattern: re.Pattern[str]
    shape: Shape
    function: Function


def find(method: str, path: str) -> tuple[Call, str]:
    """The call at an address, and the id in it. Raises Refusal where there is none."""
    for call in CALLS:
        match = call.pattern.fullmatch(path)
        if match and call.method == method:
            return call, match.groupdict().get("id", "")
    raise Refusal(f"Unrecognized request URL ({method}: {path}).", status=404)


def _create_session(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    return rendered(account, checkout.create(account, params, cause), params.get("expand", ()))


def _expire_session(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    row = checkout.expire(account, identifier, cause)
    return rendered(account, row, params.get("expand", ()))


def _create_refund(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    return rendered(account, refunds.create(account, params, cause), params.get("expand", ()))


def _by(*equal: str) -> Filter:
    """A filter on `created` and on these fields, which must equal the parameters that are given."""
    return lambda account, params: lambda row: lists.matches(row, params, *equal)


def _events(account: Account, params: Row) -> Keep:
    types, delivered = params.get("types"), params.get("delivery_success")
    oldest = account.now() - EVENTS_KEPT

    def keep(row: Row) -> bool:
        if row["created"] < oldest or (types and row["type"] not in types):
            return False
        if delivered is not None:
            reached = delivery_of(account.store, row["id"])["status"] not in UNDELIVERED
            if reached != delivered:
                return False
        return lists.matches(row, params)

    return keep


def _transactions(account: Account, params: Row) -> Keep:
    payout = params.get("payout")
    if payout:
        account.get("payouts", payout, param="payout", status=400)

    def keep(row: Row) -> bool:
        if payout:
            item = account.store.get("payout_items", row["id"])
            if item is None or item["payout"] != payout:
                return False
        return lists.matches(row, params, "source", "type")

    return keep


def _call(method: str, path: str, shape: Shape, function: Function) -> Call:
    pattern = re.compile(path.replace("{id}", r"(?P<id>[A-Za-z0-9_]+)"))
    return Call(method, pattern, shape, function)


def _reading(path: str, table: str, listing: Shape, which: Filter, param: str = "id") -> list[Call]:
    """A list call and a retrieve call; `param` is what errors call the id."""

    def list_(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
        return lists.page(account, table, params, path, which(account, params))

    def retrieve(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
        row = account.get(table, identifier, param=param)
        return rendered(account, row, params.get("expand", ()))

    return [
        _call("GET", path, listing, list_),
        _call("GET", path + "/{id}", shapes.RETRIEVE, retrieve),
    ]


_SESSIONS = "/v1/checkout/sessions"
_WARNINGS = "/v1/radar/early_fraud_warnings"
_OF_PAYMENT = (shapes.OF_PAYMENT_LIST, _by("charge", "payment_intent"))
CALLS = [
    _call("POST", _SESSIONS, shapes.SESSION_CREATE, _create_session),
    _call("POST", _SESSIONS + "/{id}/expire", shapes.EXPIRE, _expire_session),
    _call("POST", "/v1/refunds", shapes.REFUND_CREATE, _create_refund),
    *_reading(
        _SESSIONS, "sessions", shapes.SESSION_LIST, _by("status", "payment_intent"), "session"
    ),
    *_reading(
        "/v1/payment_intents", "payment_intents", shapes.PAYMENT_INTENT_LIST, _by(), "intent"
    ),
    *_reading("/v1/charges", "charges", shapes.CHARGE_LIST, _by("payment_intent"), "charge"),
    *_reading("/v1/refunds", "refunds", *_OF_PAYMENT, "refund"),
    *_reading("/v1/disputes", "disputes", *_OF_PAYMENT, "dispute"),
    *_reading(_WARNINGS, "fraud_warnings", *_OF_PAYMENT, "early_fraud_warning"),
    *_reading(
        "/v1/balance_transactions",
        "balance_transactions",
        shapes.BALANCE_TRANSACTION_LIST,
        _transactions,
    ),
    *_reading("/v1/payouts", "payouts", shapes.PAYOUT_LIST, _by("status"), "payout"),
    *_reading("/v1/events", "events", shapes.EVENT_LIST, _events),
]
