"""The local Stripe without HTTP: everything that a person or a test can make happen."""

import threading
from collections.abc import Sequence
from pathlib import Path

from sandbox import checkout, disputes, events, payouts, refunds
from sandbox.account import Account
from sandbox.api import Api
from sandbox.clock import Clock
from sandbox.courier import Courier
from sandbox.faults import Faults
from sandbox.objects import Row
from sandbox.store import Store

_TICK_SECONDS = 0.5


class Machine:
    """One Stripe account with its webhooks, its faults and its clock.

    Its methods raise `errors.Refusal` where the state of things does not allow them.
    `payment` may be the id of a session, a payment intent or a charge.
    """

    def __init__(
        self,
        *,
        base_url: str,
        state_file: Path | None,
        webhook_url: str | None,
        webhook_secret: str,
        retry_seconds: Sequence[float],
    ) -> None:
        """`server.start` explains the arguments. Raises `store.StateInUse` and ValueError."""
        self.base_url = base_url
        self.webhook_url = webhook_url
        self._store = Store(state_file)
        self.account = Account(self._store, base_url)
        self.faults = Faults()
        self._stopping = threading.Event()
        self.api = Api(self.account, self.faults)
        self.courier = Courier(
            self.account,
            self.faults,
            url=webhook_url,
            secret=webhook_secret,
            retry_seconds=retry_seconds,
        )
        self._store.on_commit = self.courier.accept
        self._ticker = threading.Thread(target=self._tick, name="clock", daemon=True)

    def switch_on(self) -> None:
        self.courier.start()
        self._ticker.start()

    def switch_off(self) -> None:
        """End the threads and close the state file."""
        self._stopping.set()
        self.faults.clear()
        self.courier.stop()
        self._store.close()

    def _tick(self) -> None:
        """Let sessions expire when their time has passed."""
        while not self._stopping.wait(_TICK_SECONDS):
            checkout.expire_due(self.account)

    # What the payer does

    def pay(self, session_id: str, email: str | None = None) -> Row:
        """Pay by card at once; the session."""
        with self._store.change():
            return checkout.pay(self.account, session_id, email)

    def decline(self, session_id: str, email: str | None = None) -> Row:
        """The card is declined; the session stays open."""
        with self._store.change():
            return checkout.decline(self.account, session_id, email)

    def pay_later(self, session_id: str, email: str | None = None) -> Row:
        """Pay by direct debit, which the bank confirms or refuses later (`settle_later`)."""
        with self._store.change():
            return checkout.pay_later(self.account, session_id, email)

    def settle_later(self, session_id: str, ok: bool = True) -> Row:
        """The bank confirms or refuses a direct debit; the session."""
        with self._store.change():
            return checkout.settle_later(self.account, session_id, ok=ok)

    def expire(self, session_id: str) -> Row:
        """Expire an open session now, whatever the clock says; the session."""
        with self._store.change():
            return checkout.expire(self.account, session_id)

    # What happens at the Dashboard and at the banks

    def refund(self, payment: str, amount: int | None = None) -> Row:
        """Refund from the Dashboard, `amount` pence or what is left; the refund."""
        with self._store.change():
            charge = self.account.charge_of(payment)
            params: Row = {"charge": charge["id"]}
            if amount is not None:
                params["amount"] = amount
            return refunds.create(self.account, params)

    def settle_refund(self, refund_id: str) -> Row:
        """A pending refund succeeds; the refund."""
        with self._store.change():
            return refunds.settle(self.account, refund_id)

    def fail_refund(self, refund_id: str) -> Row:
        """The payer's bank sends a refund back; the refund."""
        with self._store.change():
            return refunds.fail(self.account, refund_id)

    def dispute(self, payment: str, reason: str = "fraudulent") -> Row:
        """The payer's bank takes the money back; the dispute."""
        with self._store.change():
            return disputes.open_(self.account, payment, reason)

    def answer_dispute(self, dispute_id: str) -> Row:
        """Submit evidence; the dispute."""
        with self._store.change():
            return disputes.answer(self.account, dispute_id)

    def close_dispute(self, dispute_id: str, won: bool = True) -> Row:
        """The bank decides; the dispute."""
        with self._store.change():
            return disputes.close(self.account, dispute_id, won=won)

    def warn_of_fraud(self, payment: str) -> Row:
        """An early fraud warning; the warning."""
        with self._store.change():
            return disputes.warn(self.account, payment)

    def payout(self) -> Row:
        """Pay out everything in the balance; the payout."""
        with self._store.change():
            return payouts.make(self.account)

    def fail_payout(self, payout_id: str) -> Row:
        """The charity's bank sends a payout back; the payout."""
        with self._store.change():
            return payouts.fail(self.account, payout_id)

    # The clock

    @property
    def clock(self) -> Clock:
        """For reading; move it by `advance` and `reset_clock`."""
        return self.account.clock

    def advance(self, seconds: int) -> None:
        """Move the clock on; sessions whose time has passed expire at once."""
        with self._store.change():
            self.clock.advance(seconds)
            self._after_moving()

    def reset_clock(self) -> None:
        """Back to real time."""
        with self._store.change():
            self.clock.reset()
            self._after_moving()

    def _after_moving(self) -> None:
        self.account.save_clock()
        checkout.expire_due(self.account)

    # Events and webhooks

    @property
    def events(self) -> list[Row]:
        """All events, oldest first, as the API shows them."""
        with self._store.lock:
            rows = self._store.table("events").rows.values()
            return [events.rendered(self._store, row) for row in rows]

    def delivery(self, event_id: str) -> Row:
        """`status` (see `events`) and `attempts` (`at`, `outcome`) of an event's delivery."""
        self.account.get("events", event_id)
        return events.delivery_of(self._store, event_id)

    def deliver_webhooks(self, on: bool) -> None:
        """Off: events from now on are kept but not sent until somebody resends them."""
        self.courier.switch(on=on)

    def resend(self, event_id: str) -> None:
        """Send an event again."""
        self.courier.resend(event_id)

    def signed(self, event_id: str) -> tuple[bytes, str]:
        """Body and Stripe-Signature of an event, for a test to post by itself."""
        return self.courier.signed(event_id)

    def wait_for_webhooks(self, seconds: float = 5) -> bool:
        """Wait until every webhook is delivered or given up; False if time runs out."""
        return self.courier.wait(seconds)

    @property
    def calls(self) -> list[tuple[str, str, int]]:
        """The latest 1,000 calls of the API: method, path, status (0: the connection was cut)."""
        return list(self.api.log)
