"""Floods of requests, and honest people who sign up for the Bulletin meanwhile.

For the tests, which ask that all are answered in time, and for the benchmarks, which say how soon.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import requests

from tests.html import fields, heading

HONEST = 10
SENDERS = 8  # at once
LONGEST = 30.0  # seconds; a flood ends with its test, and at the latest then

_opened: WeakKeyDictionary[requests.Session, dict[str, str]] = WeakKeyDictionary()

Send = Callable[[requests.Session, str, int], requests.Response]


class Person:
    """Somebody with a browser who has opened the Bulletin's page a while ago."""

    def __init__(self, site: str) -> None:
        self.page = f"{site}/bulletin/"
        self.browser = requests.Session()
        self.form = filled_in(self.browser, self.page)

    def sign_up(self, email: str) -> tuple[float, str]:
        """How many seconds the answer took, and its heading."""
        began = time.monotonic()
        answer = self.browser.post(
            self.page, self.form | {"email": email}, headers={"Referer": self.page}, timeout=60
        )
        return time.monotonic() - began, heading(answer)


def filled_in(browser: requests.Session, page: str, action: str = "/bulletin/") -> dict[str, str]:
    """A form of the page as the browser would send it, with its token against forgery."""
    form = fields(browser.get(page, timeout=60), action=action)
    return form | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}


def the_same_form(browser: requests.Session, page: str) -> dict[str, str]:
    """The form that this browser opened first."""
    if browser not in _opened:
        _opened[browser] = filled_in(browser, page)
    return _opened[browser]


def post(browser: requests.Session, page: str, form: dict[str, str]) -> requests.Response:
    return browser.post(page, form, headers={"Referer": page}, timeout=60)


def trap(browser: requests.Session, site: str, number: int) -> requests.Response:
    """Forms whose hidden field is filled in."""
    page = f"{site}/bulletin/"
    form = the_same_form(browser, page)
    return post(browser, page, form | {"email": f"a{number}@x.example", "left_blank": "spam"})


def one_form(browser: requests.Session, site: str, number: int) -> requests.Response:
    """One form, filled in well, over and over, with another address each time."""
    page = f"{site}/bulletin/"
    return post(browser, page, the_same_form(browser, page) | {"email": f"b{number}@x.example"})


def new_forms(browser: requests.Session, site: str, number: int) -> requests.Response:
    """Forms opened one by one, filled in well, and sent as soon as they are taken."""
    page = f"{site}/bulletin/"
    form = filled_in(browser, page)
    time.sleep(1)
    return post(browser, page, form | {"email": f"c{number}@x.example"})


def lost_links(browser: requests.Session, site: str, number: int) -> requests.Response:
    """'Lost your link?' for ever other addresses."""
    page = f"{site}/orders/"
    if "csrftoken" not in browser.cookies:
        browser.get(page, timeout=60)
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    return post(browser, page, token | {"email": f"d{number}@x.example"})


def wrong_log_ins(browser: requests.Session, site: str, number: int) -> requests.Response:
    """Guesses at passwords, which the site has to hash."""
    page = f"{site}/login/"
    if "csrftoken" not in browser.cookies:
        browser.get(page, timeout=60)
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    guess = {"username": f"organiser{number % 3}@example.org", "password": f"guess {number}"}
    return post(browser, page, token | guess)


def pages(browser: requests.Session, site: str, number: int) -> requests.Response:
    """Pages, as fast as they come."""
    return browser.get(site + ("/", "/bulletin/", "/privacy/", "/orders/")[number % 4], timeout=60)


def unsigned_events(browser: requests.Session, site: str, number: int) -> requests.Response:
    """Large events that Stripe did not sign."""
    signature = {"Stripe-Signature": f"t={int(time.time())},v1={'0' * 64}"}
    return browser.post(f"{site}/stripe/webhook/", b"{" * 250_000, headers=signature, timeout=60)


FLOODS = [trap, one_form, new_forms, lost_links, wrong_log_ins, pages, unsigned_events]


@contextmanager
def flood(send: Send, site: str) -> Iterator[Counter[int]]:
    """Send as fast as the site answers; yields the answers' statuses, counted."""
    seen: Counter[int] = Counter()
    stop = threading.Event()
    until = time.monotonic() + LONGEST

    def sender(first: int) -> None:
        browser = requests.Session()
        number = first
        while not stop.is_set() and time.monotonic() < until:
            seen[send(browser, site, number).status_code] += 1
            number += SENDERS

    senders = [threading.Thread(target=sender, args=(n,), daemon=True) for n in range(SENDERS)]
    for one in senders:
        one.start()
    try:
        yield seen
    finally:
        stop.set()
        for one in senders:
            one.join()


def slowest_of_ten(
    send: Send, site: str, people: list[Person]
) -> tuple[float, set[str], Counter[int]]:
    """Let the people sign up during a flood.

    Returns how many seconds the slowest answer took, the headings of the answers, and the statuses
    that the flood was answered with. The people's forms must be a second old.
    """
    with flood(send, site) as seen:
        time.sleep(0.3)
        answers = []
        for number, person in enumerate(people):
            answers.append(person.sign_up(f"honest-{send.__name__}-{number}@example.org"))
            time.sleep(0.1)
    return max(took for took, _ in answers), {said for _, said in answers}, seen
