"""The calls under /v1: which address leads to which function."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox import checkout, lists, refunds, shapes
from sandbox.account import Account
from sandbox.errors import Refusal
from sandbox.events import UNDELIVERED, Cause, delivery_of
from sandbox.expand import rendered
from sandbox.objects import Row
from sandbox.shapes import Shape

# (account, id from the address or "", checked parameters, cause) -> what is answered
Function = Callable[[Account, str, Row, Cause], Row]
EVENTS_KEPT = 30 * 24 * 60 * 60


@dataclass(frozen=True)
class Call:
    """One call of the API."""

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


def _line_items(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    account.get("sessions", identifier, param="session")
    items = account.get("drafts", identifier)["line_items"]
    return lists.of_items(items, params, f"/v1/checkout/sessions/{identifier}/line_items")


def _create_refund(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    return rendered(account, refunds.create(account, params, cause), params.get("expand", ()))


def _retrieve(table: str, param: str = "id") -> Function:
    def call(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
        row = account.get(table, identifier, param=param)
        return rendered(account, row, params.get("expand", ()))

    return call


def _list(
    table: str, url: str, *, equal: tuple[str, ...] = (), spans: tuple[str, ...] = ("created",)
) -> Function:
    def call(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
        return lists.page(
            account, table, params, url, lambda row: lists.matches(row, params, equal, spans)
        )

    return call


def _list_sessions(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    email = params.get("customer_details", {}).get("email")

    def keep(row: Row) -> bool:
        if email and (row["customer_details"] or {}).get("email") != email:
            return False
        return lists.matches(row, params, ("status", "payment_intent"), ("created",))

    return lists.page(account, "sessions", params, "/v1/checkout/sessions", keep)


def _list_events(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    if "type" in params and "types" in params:
        raise Refusal("You may only specify one of these parameters: type, types.", param="type")
    patterns = params.get("types") or [params.get("type", "*")]
    delivered = params.get("delivery_success")
    oldest = account.now() - EVENTS_KEPT

    def keep(row: Row) -> bool:
        if row["created"] < oldest or not any(fnmatchcase(row["type"], p) for p in patterns):
            return False
        if delivered is not None:
            reached = delivery_of(account.store, row["id"])["status"] not in UNDELIVERED
            if reached != delivered:
                return False
        return lists.matches(row, params, (), ("created",))

    return lists.page(account, "events", params, "/v1/events", keep)


def _list_transactions(account: Account, identifier: str, params: Row, cause: Cause) -> Row:
    payout = params.get("payout")
    if payout:
        account.get("payouts", payout, param="payout", status=400)

    def keep(row: Row) -> bool:
        if payout:
            item = account.store.get("payout_items", row["id"])
            if item is None or item["payout"] != payout:
                return False
        return lists.matches(row, params, ("currency", "source", "type"), ("created",))

    return lists.page(account, "balance_transactions", params, "/v1/balance_transactions", keep)


def _call(method: str, path: str, shape: Shape, function: Function) -> Call:
    pattern = re.compile(path.replace("{id}", r"(?P<id>[A-Za-z0-9_]+)"))
    return Call(method, pattern, shape, function)


def _resource(path: str, table: str, listing: Shape, function: Function, param: str) -> list[Call]:
    """A list call and a retrieve call."""
    return [
        _call("GET", path, listing, function),
        _call("GET", path + "/{id}", shapes.RETRIEVE, _retrieve(table, param)),
    ]


_SESSIONS = "/v1/checkout/sessions"
_INTENT = ("charge", "payment_intent")
CALLS = [
    _call("POST", _SESSIONS, shapes.SESSION_CREATE, _create_session),
    *_resource(_SESSIONS, "sessions", shapes.SESSION_LIST, _list_sessions, "session"),
    _call("POST", _SESSIONS + "/{id}/expire", shapes.EXPIRE, _expire_session),
    _call("GET", _SESSIONS + "/{id}/line_items", shapes.LINE_ITEM_LIST, _line_items),
    _call("POST", "/v1/refunds", shapes.REFUND_CREATE, _create_refund),
    *_resource(
        "/v1/refunds",
        "refunds",
        shapes.REFUND_LIST,
        _list("refunds", "/v1/refunds", equal=_INTENT),
        "refund",
    ),
    *_resource("/v1/events", "events", shapes.EVENT_LIST, _list_events, "id"),
    *_resource(
        "/v1/payment_intents",
        "payment_intents",
        shapes.PAYMENT_INTENT_LIST,
        _list("payment_intents", "/v1/payment_intents"),
        "intent",
    ),
    *_resource(
        "/v1/charges",
        "charges",
        shapes.CHARGE_LIST,
        _list("charges", "/v1/charges", equal=("payment_intent",)),
        "charge",
    ),
    *_resource(
        "/v1/balance_transactions",
        "balance_transactions",
        shapes.BALANCE_TRANSACTION_LIST,
        _list_transactions,
        "id",
    ),
    *_resource(
        "/v1/payouts",
        "payouts",
        shapes.PAYOUT_LIST,
        _list("payouts", "/v1/payouts", equal=("status",), spans=("created", "arrival_date")),
        "payout",
    ),
    *_resource(
        "/v1/disputes",
        "disputes",
        shapes.DISPUTE_LIST,
        _list("disputes", "/v1/disputes", equal=_INTENT),
        "dispute",
    ),
    *_resource(
        "/v1/radar/early_fraud_warnings",
        "fraud_warnings",
        shapes.FRAUD_WARNING_LIST,
        _list("fraud_warnings", "/v1/radar/early_fraud_warnings", equal=_INTENT),
        "early_fraud_warning",
    ),
]
