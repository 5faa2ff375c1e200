"""The Stripe account: its rows, its clock, and what every other module does with them."""

import heapq

from sandbox import events
from sandbox.clock import Clock
from sandbox.errors import missing
from sandbox.events import NOBODY, Cause
from sandbox.money_objects import balance_transaction
from sandbox.objects import Row
from sandbox.store import Store

# By the prefix of an id: the table that holds the row, and the noun in Stripe's messages.
TABLES = {
    "cs": ("sessions", "checkout.session"),
    "pi": ("payment_intents", "payment_intent"),
    "ch": ("charges", "charge"),
    "py": ("charges", "charge"),
    "re": ("refunds", "refund"),
    "pyr": ("refunds", "refund"),
    "txn": ("balance_transactions", "balance transaction"),
    "po": ("payouts", "payout"),
    "dp": ("disputes", "dispute"),
    "issfr": ("fraud_warnings", "early fraud warning"),
    "evt": ("events", "event"),
}
NOUNS = dict(TABLES.values())


class Account:
    """One account. `base_url` is where the local Stripe itself answers."""

    def __init__(self, store: Store, base_url: str) -> None:
        self.store = store
        self.base_url = base_url
        saved = store.get("settings", "clock")
        self.clock = Clock(saved["offset"] if saved else 0)
        # A heap of (Unix second of expiry, id), with every open session in it.
        self.due = [
            (row["expires_at"], row["id"])
            for row in store.table("sessions").rows.values()
            if row["status"] == "open"
        ]
        heapq.heapify(self.due)

    def now(self) -> int:
        return self.clock.now()

    def save_clock(self) -> None:
        with self.store.change():
            self.store.put("settings", {"id": "clock", "offset": self.clock.offset})

    def get(self, table: str, identifier: str, *, param: str = "id", status: int = 404) -> Row:
        """The row. Raises Refusal `resource_missing`, which names `param`."""
        row = self.store.get(table, identifier)
        if row is None:
            raise missing(NOUNS[table], identifier, param=param, status=status)
        return row

    def put(self, table: str, row: Row, **changes: object) -> Row:
        """Store `row` with `changes`; returns the new row."""
        return self.store.put(table, {**row, **changes})

    def event(
        self, kind: str, about: Row, cause: Cause = NOBODY, previous: Row | None = None
    ) -> None:
        events.record(self.store, kind, about, now=self.now(), cause=cause, previous=previous)

    def book(
        self,
        *,
        pence: int,
        kind: str,
        category: str,
        source: str,
        description: str | None = None,
        fee: int = 0,
        available_in_days: int = 0,
    ) -> Row:
        """Store a new balance transaction. `pence` is negative for money that leaves."""
        return self.store.put(
            "balance_transactions",
            balance_transaction(
                pence=pence,
                fee=fee,
                kind=kind,
                category=category,
                source=source,
                description=description,
                now=self.now(),
                available_in_days=available_in_days,
            ),
        )

    def charge_of(self, payment: str) -> Row:
        """The latest charge of a payment, given the id of a session, payment intent or charge.

        Raises Refusal where there is none.
        """
        prefix = payment.split("_")[0]
        if prefix == "cs":
            session = self.get("sessions", payment)
            if session["payment_intent"] is None:
                raise missing("charge", payment)
            payment, prefix = session["payment_intent"], "pi"
        if prefix == "pi":
            intent = self.get("payment_intents", payment)
            if intent["latest_charge"] is None:
                raise missing("charge", payment)
            payment = intent["latest_charge"]
        return self.get("charges", payment)
