"""Rows as the API shows them: links are ids, or whole objects where `expand[]` asks for them."""

from collections.abc import Iterable
from typing import Any

from sandbox import events
from sandbox.account import TABLES, Account
from sandbox.errors import Refusal
from sandbox.objects import Row

# Which fields hold an id that can be expanded.
_LINKS = {
    "checkout.session": ("payment_intent",),
    "payment_intent": ("latest_charge",),
    "charge": ("payment_intent", "balance_transaction", "failure_balance_transaction"),
    "refund": ("charge", "payment_intent", "balance_transaction", "failure_balance_transaction"),
    "balance_transaction": ("source",),
    "dispute": ("charge", "payment_intent"),
    "radar.early_fraud_warning": ("charge", "payment_intent"),
    "payout": ("balance_transaction", "failure_balance_transaction"),
}
_DEPTH = 4


def rendered(account: Account, row: Row, paths: Iterable[str] = ()) -> Row:
    """The row with every path of `paths` expanded. Raises Refusal for what cannot be."""
    row = _current(account, row)
    for path in paths:
        if path.count(".") >= _DEPTH:
            raise Refusal(
                f"You cannot expand more than {_DEPTH} levels of a property. Property: {path}",
                param="expand",
            )
        row = _expanded(account, row, path, path)
    return row


def item_paths(paths: Iterable[str]) -> list[str]:
    """The paths of a list call, which begin with `data.`, for each of its items."""
    paths = list(paths)
    for path in paths:
        if not path.startswith("data."):
            raise _cannot(path)
    return [path.removeprefix("data.") for path in paths]


def _cannot(path: str) -> Refusal:
    return Refusal(f"This property cannot be expanded ({path}).", param="expand")


def _current(account: Account, row: Row) -> Row:
    """The row, with the fields that depend on when it is asked for."""
    if row["object"] == "event":
        return events.rendered(account.store, row)
    is_pending = row["object"] == "balance_transaction" and row["status"] == "pending"
    if is_pending and row["available_on"] <= account.now():
        return {**row, "status": "available"}
    return row


def _expanded(account: Account, row: Row, path: str, whole: str) -> Row:
    name, _, rest = path.partition(".")
    value: Any = row.get(name)
    if name not in _LINKS.get(row["object"], ()):
        raise _cannot(whole)
    if value is not None:
        target = value if isinstance(value, dict) else _target(account, value)
        value = _expanded(account, target, rest, whole) if rest else target
    return {**row, name: value}


def _target(account: Account, identifier: str) -> Row:
    table, _ = TABLES[identifier.split("_")[0]]
    return _current(account, account.get(table, identifier))
