"""Sends webhooks from one background thread, in order, with retries and with faults."""

import heapq
import http.client
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from sandbox import events
from sandbox.account import Account
from sandbox.faults import Faults
from sandbox.objects import Row

TIMEOUT_SECONDS = 10
# The waits before each retry. Stripe goes on for three days, too long to watch here.
RETRY_SECONDS = (1.0, 5.0, 30.0)


@dataclass(frozen=True)
class Parcel:
    """One event on its way. A `copy`, sent beside or after the first delivery, is not retried."""

    event_id: str
    attempt: int = 0
    copy: bool = False


class Courier:
    """Delivers events to the site's webhook endpoint, from `start` to `stop`."""

    def __init__(
        self,
        account: Account,
        faults: Faults,
        *,
        url: str | None,
        secret: str,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        """`url` is the endpoint; None: there is none, and nothing is ever sent.

        Raises ValueError for an address that is not http or https.
        """
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"{url} is not an http or https address")
        self._account = account
        self._faults = faults
        self._url = url
        self._secret = secret
        self._retry_seconds = retry_seconds
        self._is_on = True
        self._parcels: list[tuple[float, int, Parcel]] = []
        self._numbers = itertools.count()
        self._sending = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Start the thread, and queue what an earlier run of the process had not delivered."""
        for row in list(self._account.store.table("deliveries").rows.values()):
            if row["status"] == events.WAITING:
                self._put(Parcel(row["id"], attempt=len(row["attempts"])), 0)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. A delivery that is waiting for its answer gets half a second."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._thread.join(timeout=0.5)

    def switch(self, *, on: bool) -> None:
        """Off: events from now on are kept but not sent, as with a disabled endpoint."""
        self._is_on = on

    @property
    def is_on(self) -> bool:
        return self._is_on and self._url is not None

    def accept(self, event_ids: list[str]) -> None:
        """Queue new events for delivery, or mark why they are not sent."""
        for event_id in event_ids:
            event = self._account.get("events", event_id)
            if event["type"] not in events.SUBSCRIBED:
                continue
            if self._url is None:
                self._mark(event_id, events.NOT_SENT)
            elif not self._is_on:
                self._mark(event_id, events.WITHHELD)
            else:
                self._plan(event)

    def _plan(self, event: Row) -> None:
        fault = self._faults.take_delivery(event["type"])
        kind, seconds = (fault.kind, fault.seconds) if fault else ("", 0.0)
        if kind == "drop":
            self._mark(event["id"], events.DROPPED)
        else:
            self._put(Parcel(event["id"]), seconds if kind == "delay" else 0)
        if kind == "duplicate":
            self._put(Parcel(event["id"], copy=True), 0)

    def resend(self, event_id: str) -> None:
        """Send an event again, delivered or not, as the Dashboard's Resend does."""
        self._account.get("events", event_id)
        if self._url is not None:
            before = events.delivery_of(self._account.store, event_id)["status"]
            self._mark(event_id, events.WAITING)
            self._put(Parcel(event_id, copy=before == events.DELIVERED), 0)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is queued, retries included; False after `seconds`."""
        until = time.monotonic() + seconds
        with self._wake:
            while self._sending or self._parcels:
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(left)
        return True

    def signed(self, event_id: str) -> tuple[bytes, str]:
        """The body and the Stripe-Signature header that a delivery would have now."""
        body = events.body(self._account.get("events", event_id))
        # Real time, not the account's: the receiver compares it with its own clock.
        return body, events.signature(body, self._secret, int(time.time()))

    def _put(self, parcel: Parcel, seconds: float) -> None:
        with self._wake:
            entry = (time.monotonic() + seconds, next(self._numbers), parcel)
            heapq.heappush(self._parcels, entry)
            self._wake.notify_all()

    def _mark(self, event_id: str, status: str | None, outcome: str | None = None) -> None:
        """Store a delivery's new status (None: the same) and the outcome of an attempt, if any.

        What was delivered once stays delivered.
        """
        store = self._account.store
        with store.change():
            row = events.delivery_of(store, event_id)
            attempts = row["attempts"]
            if outcome is not None:
                attempts = [*attempts, {"at": self._account.now(), "outcome": outcome}]
            if status is None or row["status"] == events.DELIVERED:
                status = row["status"]
            store.put("deliveries", {**row, "status": status, "attempts": attempts})

    def _run(self) -> None:
        while (parcel := self._next()) is not None:
            try:
                self._deliver(parcel)
            finally:
                with self._wake:
                    self._sending -= 1
                    self._wake.notify_all()

    def _next(self) -> Parcel | None:
        """The next parcel, as soon as it is due; None when the courier stops."""
        with self._wake:
            while not self._stopping:
                if not self._parcels:
                    self._wake.wait()
                    continue
                left = self._parcels[0][0] - time.monotonic()
                if left > 0:
                    self._wake.wait(left)
                    continue
                self._sending += 1
                return heapq.heappop(self._parcels)[2]
        return None

    def _deliver(self, parcel: Parcel) -> None:
        outcome = self._send(parcel.event_id)
        if outcome.startswith("2"):
            self._mark(parcel.event_id, events.DELIVERED, outcome)
        elif parcel.copy:
            self._mark(parcel.event_id, None, outcome)
        elif parcel.attempt >= len(self._retry_seconds):
            self._mark(parcel.event_id, events.FAILED, outcome)
        else:
            self._mark(parcel.event_id, events.WAITING, outcome)
            again = Parcel(parcel.event_id, attempt=parcel.attempt + 1)
            self._put(again, self._retry_seconds[parcel.attempt])

    def _send(self, event_id: str) -> str:
        """Make one attempt; returns the status code or the name of the exception."""
        body, signature = self.signed(event_id)
        address = urlsplit(self._url or "")
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kinds[address.scheme](address.netloc, timeout=TIMEOUT_SECONDS)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature,
        }
        try:
            target = urlunsplit(("", "", address.path or "/", address.query, ""))
            connection.request("POST", target, body, headers)
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
