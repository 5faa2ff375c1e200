"""What the buttons of the control page do: forms posted to /control/<action>."""

import re
from collections.abc import Callable
from decimal import Decimal

from sandbox.machine import Machine

_POUNDS = re.compile(r"£?[0-9]{1,7}(\.[0-9]{1,2})?")


class Unclear(Exception):
    """A field is missing or cannot be read; the message says which."""


class Fields:
    """The fields of one form, read with their types. Every method raises Unclear."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given

    def maybe(self, name: str) -> str:
        """The text, empty where it is missing."""
        return self._given.get(name, "").strip()

    def text(self, name: str) -> str:
        text = self.maybe(name)
        if not text:
            raise Unclear(f"Fill in {name}.")
        return text

    def whole(self, name: str) -> int:
        try:
            return int(self.text(name))
        except ValueError:
            raise Unclear(f"{name} must be a whole number.") from None

    def seconds(self) -> float:
        try:
            return float(self.maybe("seconds") or 0)
        except ValueError:
            raise Unclear("seconds must be a number.") from None

    def yes(self, name: str) -> bool:
        return self.maybe(name) == "yes"

    def times(self) -> int | None:
        """How many times a fault happens; None ('all'): until it is cleared."""
        return None if self.maybe("times") == "all" else self.whole("times")

    def pence(self) -> int | None:
        """`pounds` in pence; None where it is empty, for all that is left."""
        pounds = self.maybe("pounds")
        if not pounds:
            return None
        if not _POUNDS.fullmatch(pounds):
            raise Unclear("Write the amount in pounds, for instance 7.50.")
        return int(Decimal(pounds.removeprefix("£")) * 100)


def _clock(machine: Machine, fields: Fields) -> None:
    if fields.yes("reset"):
        machine.reset_clock()
    else:
        machine.advance(fields.whole("minutes") * 60)


def _call_fault(machine: Machine, fields: Fields) -> None:
    machine.faults.add_call(
        fields.text("kind"),
        path=fields.text("path"),
        times=fields.times(),
        seconds=fields.seconds(),
    )


def _delivery_fault(machine: Machine, fields: Fields) -> None:
    machine.faults.add_delivery(
        fields.text("kind"),
        types=fields.text("types"),
        times=fields.times(),
        seconds=fields.seconds(),
    )


ACTIONS: dict[str, Callable[[Machine, Fields], object]] = {
    "settle-later": lambda m, f: m.settle_later(f.text("session"), f.yes("ok")),
    "expire": lambda m, f: m.expire(f.text("session")),
    "refund": lambda m, f: m.refund(f.text("payment"), f.pence()),
    "refund-succeeds": lambda m, f: m.settle_refund(f.text("refund")),
    "refund-fails": lambda m, f: m.fail_refund(f.text("refund")),
    "dispute": lambda m, f: m.dispute(f.text("payment"), f.text("reason")),
    "dispute-answer": lambda m, f: m.answer_dispute(f.text("dispute")),
    "dispute-close": lambda m, f: m.close_dispute(f.text("dispute"), f.yes("won")),
    "fraud-warning": lambda m, f: m.warn_of_fraud(f.text("payment")),
    "payout": lambda m, f: m.payout(),
    "payout-fails": lambda m, f: m.fail_payout(f.text("payout")),
    "clock": _clock,
    "fault-in-call": _call_fault,
    "fault-in-delivery": _delivery_fault,
    "faults-clear": lambda m, f: m.faults.clear(),
    "webhooks": lambda m, f: m.deliver_webhooks(f.yes("on")),
    "resend": lambda m, f: m.resend(f.text("event")),
}
