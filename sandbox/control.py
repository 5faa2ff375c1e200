"""The control side: what people click and tests post under /control/.

Every action takes a form or a JSON object. A form is sent back to the control page, JSON gets
`{"result": …}`, or `{"error": …}` with status 400.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from sandbox.events import delivery_of
from sandbox.machine import Machine
from sandbox.objects import Row

_POUNDS = re.compile(r"£?[0-9]{1,7}(\.[0-9]{1,2})?")


class Unclear(Exception):
    """A field is missing or cannot be read; the message says which."""


class Fields:
    """The fields of one action, read with their types."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = given

    def maybe(self, name: str) -> str | None:
        """The text, or None where it is missing or empty."""
        value = self._given.get(name)
        text = "" if value is None else str(value).strip()
        return text or None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.maybe(name) or default
        if value is None:
            raise Unclear(f"Fill in {name}.")
        return value

    def maybe_whole(self, name: str) -> int | None:
        text = self.maybe(name)
        try:
            return None if text is None else int(text)
        except ValueError:
            raise Unclear(f"{name} must be a whole number.") from None

    def whole(self, name: str) -> int:
        value = self.maybe_whole(name)
        if value is None:
            raise Unclear(f"Fill in {name}.")
        return value

    def seconds(self, name: str) -> float:
        try:
            return float(self.maybe(name) or 0)
        except ValueError:
            raise Unclear(f"{name} must be a number of seconds.") from None

    def flag(self, name: str, *, default: bool) -> bool:
        text = self.maybe(name)
        return default if text is None else text.lower() in ("true", "1", "yes", "on")

    def times(self) -> int | None:
        """How often a fault strikes: 1 by default; 'all' until it is cleared."""
        return None if self.maybe("times") == "all" else self.maybe_whole("times") or 1

    def pence(self) -> int | None:
        """`amount` in pence or `pounds` as a decimal; None for all that is left."""
        pounds = self.maybe("pounds")
        if pounds is None:
            return self.maybe_whole("amount")
        if not _POUNDS.fullmatch(pounds):
            raise Unclear("Write the amount in pounds, for instance 7.50.")
        return int(Decimal(pounds.removeprefix("£")) * 100)


def _clock(machine: Machine, fields: Fields) -> Row:
    if fields.flag("reset", default=False):
        machine.reset_clock()
    elif fields.maybe("set") is not None:
        machine.set_clock(fields.whole("set"))
    elif fields.maybe("minutes") is not None:
        machine.advance(fields.whole("minutes") * 60)
    else:
        machine.advance(fields.whole("advance"))
    return {"now": machine.clock.now()}


def _call_fault(machine: Machine, fields: Fields) -> Row:
    machine.faults.add_call(
        fields.text("kind"),
        path=fields.text("path", "*"),
        method=fields.text("method", "*"),
        times=fields.times(),
        seconds=fields.seconds("seconds"),
    )
    return faults(machine)


def _delivery_fault(machine: Machine, fields: Fields) -> Row:
    machine.faults.add_delivery(
        fields.text("kind"),
        types=fields.text("types", "*"),
        times=fields.times(),
        seconds=fields.seconds("seconds"),
    )
    return faults(machine)


def _clear_faults(machine: Machine, fields: Fields) -> Row:
    machine.faults.clear()
    return faults(machine)


def _webhooks(machine: Machine, fields: Fields) -> Row:
    machine.deliver_webhooks(fields.flag("on", default=True))
    return {"on": machine.courier.is_on}


def _resend(machine: Machine, fields: Fields) -> Row:
    machine.resend(fields.text("event"))
    return machine.delivery(fields.text("event"))


ACTIONS: dict[str, Callable[[Machine, Fields], Row]] = {
    "pay": lambda m, f: m.pay(f.text("session"), f.maybe("email")),
    "decline": lambda m, f: m.decline(f.text("session"), f.maybe("email")),
    "pay-later": lambda m, f: m.pay_later(f.text("session"), f.maybe("email")),
    "settle-later": lambda m, f: m.settle_later(f.text("session"), f.flag("ok", default=True)),
    "expire": lambda m, f: m.expire(f.text("session")),
    "refund": lambda m, f: m.refund(f.text("payment"), f.pence()),
    "refund-succeeds": lambda m, f: m.settle_refund(f.text("refund")),
    "refund-fails": lambda m, f: m.fail_refund(f.text("refund")),
    "dispute": lambda m, f: m.dispute(f.text("payment"), f.text("reason", "fraudulent")),
    "dispute-answer": lambda m, f: m.answer_dispute(f.text("dispute")),
    "dispute-close": lambda m, f: m.close_dispute(f.text("dispute"), f.flag("won", default=True)),
    "fraud-warning": lambda m, f: m.warn_of_fraud(f.text("payment")),
    "payout": lambda m, f: m.payout(),
    "payout-fails": lambda m, f: m.fail_payout(f.text("payout")),
    "clock": _clock,
    "fault-in-call": _call_fault,
    "fault-in-delivery": _delivery_fault,
    "faults-clear": _clear_faults,
    "webhooks": _webhooks,
    "resend": _resend,
}


def faults(machine: Machine) -> Row:
    """The faults that wait, as `calls` and `deliveries`."""
    return {
        name: [vars(fault) for fault in waiting]
        for name, waiting in machine.faults.waiting().items()
    }


def state(machine: Machine) -> Row:
    """Clock, webhooks and faults, for GET /control/state."""
    return {
        "now": machine.clock.now(),
        "offset": machine.clock.offset,
        "webhooks": {"url": machine.webhook_url, "on": machine.courier.is_on},
        "faults": faults(machine),
    }


def events(machine: Machine) -> Row:
    """Every event with its delivery, newest first, for GET /control/events."""
    store = machine.account.store
    rows = [{**row, "delivery": delivery_of(store, row["id"])} for row in machine.events]
    return {"events": rows[::-1]}
