"""Somebody who books: fills in the form, sends it again after an error, pays, and looks."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.chaos.plan import Booking
from tests.html import fields

PATIENCE = 40.0  # seconds for one answer; one that asks Stripe twice may take 26 s
AFTER_AN_ERROR = 0.7  # seconds until the same is sent again
LOOK_AGAIN = 1.0  # seconds, at a page that waits for the bank
_STATE = re.compile(r'data-state="(\w+)"')
_ONWARD = re.compile(r'id="(?:onward|back)" href="([^"]+)"')


class GaveUp(Exception):
    """The drill is over, and there is no answer yet."""


class Visitor:
    """One person with a browser of their own; writes into the booking what they are told."""

    def __init__(
        self,
        booking: Booking,
        *,
        form: str,
        kinds: dict[str, int],
        sends: threading.Event,
        is_over: threading.Event,
    ) -> None:
        """`form` is the form's address, `kinds` are the keys of the ticket types by name.

        `sends` is set whenever a form or a payment is about to be sent.
        """
        self._booking = booking
        self._form = form
        self._site = form.rsplit("/", 3)[0]
        self._kind = kinds["few" if booking.wants_few else "ample"]
        self._sends = sends
        self._is_over = is_over
        self._browser = requests.Session()
        self._trouble: Counter[str] = Counter()

    def book(self) -> None:
        """Everything from the empty form to the tickets."""
        try:
            page = self._until_answered(lambda: self._get(self._form))
            if 'name="submission"' not in page.text:
                self._booking.told = "no"
                return
            self._go_on(self._send(self._filled_in(page)))
        except GaveUp:
            pass
        except Exception as error:
            # A page that is not as it should be: the count shows who met it.
            self._booking.told = repr(error)
        finally:
            self._booking.trouble = dict(self._trouble)
            self._browser.close()

    def _filled_in(self, page: requests.Response) -> dict[str, str]:
        wanted = self._booking
        form = {
            **fields(page),
            "csrfmiddlewaretoken": self._browser.cookies["csrftoken"],
            "name": "Ada Lovelace",
            "email": wanted.email,
            "gift": str(wanted.gift_pence or "none"),
            "form-TOTAL_FORMS": str(wanted.people),
        }
        for number in range(wanted.people):
            form[f"form-{number}-attendee_name"] = f"Ada Lovelace {number}"
            form[f"form-{number}-attendee_email"] = ""
            form[f"form-{number}-ticket_type"] = str(self._kind)
        return form

    def _send(self, form: dict[str, str]) -> requests.Response:
        """Send the form until there is an answer to it; at once twice, for those who do."""
        self._booking.has_asked = True

        def send() -> requests.Response:
            return self._until_answered(lambda: self._post(self._form, form))

        if not self._booking.presses_twice:
            return send()
        with ThreadPoolExecutor(2) as hand:
            presses = [hand.submit(send) for _ in range(2)]
            answers = [press.result() for press in presses]
        return next((answer for answer in answers if answer.is_redirect), answers[0])

    def _go_on(self, answer: requests.Response) -> None:
        """From the form's answer to a page that says how it ended."""
        if not answer.is_redirect:
            self._booking.told = "no"
            return
        address = self._absolute(answer.headers["Location"])
        while True:
            self._booking.told = "kept"
            if "/c/pay/" in address:
                if self._booking.abandons:
                    return
                address = self._pay(address)
                if self._booking.has_paid and self._booking.never_returns:
                    return
                continue
            page = self._until_answered(lambda: self._get(address))  # noqa: B023 (called at once)
            found = _STATE.search(page.text)
            state = found[1] if found else f"a page with status {page.status_code}"
            if state == "confirmed":
                self._booking.told = "coming"
                return
            if state == "reserved" and not self._booking.abandons:
                address = self._pay_again(page)
            elif state == "waiting":
                address = page.url
                self._wait(LOOK_AGAIN)
            else:
                # Somebody who leaves without paying, or a page that must not come here.
                self._booking.told = "kept" if state == "reserved" else state
                return

    def _pay_again(self, page: requests.Response) -> str:
        """Press 'Give £… and get the tickets' on the order's page; where that leads."""
        form = {"csrfmiddlewaretoken": self._browser.cookies["csrftoken"]}
        answer = self._until_answered(lambda: self._post(f"{page.url}pay/", form))
        address = self._absolute(answer.headers["Location"])
        if "/c/pay/" not in address:
            self._wait(LOOK_AGAIN)  # 'The payment page cannot be reached right now'
        return address

    def _pay(self, page: str) -> str:
        """Pay on Stripe's page; the address to which that leads."""
        page = page.partition("?")[0].partition("#")[0]
        if self._booking.is_declined_first:
            self._until_answered(lambda: self._post(f"{page}/decline", {}))
        answer = self._until_answered(lambda: self._post(f"{page}/pay", {}))
        address = answer.headers.get("Location", "")
        if address.startswith(self._site):
            self._booking.has_paid = True
            return address
        closed = self._until_answered(lambda: self._get(page))
        found = _ONWARD.search(closed.text)
        return found[1] if found else f"{self._site}/orders/"

    def _get(self, address: str) -> requests.Response:
        return self._browser.get(address, timeout=PATIENCE)

    def _post(self, address: str, form: dict[str, str]) -> requests.Response:
        self._sends.set()
        return self._browser.post(
            address,
            form,
            headers={"Referer": address},
            allow_redirects=False,
            timeout=PATIENCE,
        )

    def _until_answered(self, ask: Callable[[], requests.Response]) -> requests.Response:
        """Ask, and ask the same again after an error, as a person would. Raises GaveUp."""
        while not self._is_over.is_set():
            try:
                answer = ask()
            except requests.Timeout:
                self._trouble["too slow"] += 1
            except requests.RequestException:
                self._trouble["no line"] += 1
            else:
                if answer.status_code < 500:
                    return answer
                self._trouble[str(answer.status_code)] += 1
            self._wait(AFTER_AN_ERROR)
        raise GaveUp

    def _wait(self, seconds: float) -> None:
        if self._is_over.wait(seconds):
            raise GaveUp

    def _absolute(self, location: str) -> str:
        return location if "://" in location else self._site + location


def come(
    visitors: list[Visitor], *, seconds: float, at_once: int, is_over: threading.Event
) -> list[threading.Thread]:
    """Let the visitors book one after the other over so many seconds, some of them at once.

    Returns the threads in which they do so.
    """
    waiting = list(reversed(visitors))
    door = threading.Lock()
    began = time.monotonic()

    def people() -> None:
        while not is_over.is_set():
            with door:
                if not waiting:
                    return
                visitor = waiting.pop()
                starts_at = began + seconds * (1 - (len(waiting) + 1) / len(visitors))
            is_over.wait(max(starts_at - time.monotonic(), 0))
            visitor.book()

    threads = [threading.Thread(target=people, daemon=True) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    return threads
