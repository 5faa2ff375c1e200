"""What holds for every address of the site: headers, no third party, no effect of opening it."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from pytest_django.fixtures import Settings

from conference.headers import NOTHING, SCANNER
from conference.models import AuditEntry, Conference, Mail
from signup.models import Consent, Edition, Subscriber
from tests.addresses import make_addresses, names_of
from tests.factories import make_conference, make_order, make_type, make_user
from tests.html import page
from tests.queue import run_queue
from tickets.models import Order, Scan

pytestmark = pytest.mark.django_db

# What is no page of ours: Django's configuration pages, and answers to machines alone.
NOT_PAGES = ("admin:", "healthz", "readyz", "stripe_webhook")
# Addresses that only take what a form sends.
NEEDS_A_FORM = {
    "conference:logout",
    *(f"tickets:{n}" for n in ("pay", "without_donation", "retake", "resend", "correct_name")),
    *(f"desk:{n}" for n in ("resend", "retry", "retry_all", "close_payment", "refund_again")),
    *(
        f"desk:{n}"
        for n in ("paid_back", "close_event", "took_back", "export_orders", "export_attendees")
    ),
    *(f"desk:{n}" for n in ("clock_is_right", "send_withheld", "drop_withheld")),
    *(f"door:{n}" for n in ("scan", "undo")),
}
PRIVATE = {"tickets:order", "tickets:order_pdf", "tickets:change_amount", "tickets:cancel_ticket"}
PRIVATE |= {"tickets:returned", "tickets:ticket_pdf", "tickets:order_calendar"}
PRIVATE |= {"signup:confirm", "signup:unsubscribe"}
PRIVATE |= {"conference:password_new"}


@pytest.fixture
def addresses() -> dict[str, str]:
    return make_addresses()


@pytest.fixture
def organiser() -> Client:
    client = Client()
    client.force_login(make_user("organiser"))
    return client


def test_every_address_is_among_these(addresses: dict[str, str]) -> None:
    known = set(names_of(get_resolver().url_patterns))
    assert {n for n in known if not n.startswith(NOT_PAGES) and ":" in n} - {
        f"conference:{name}" for name in NOT_PAGES
    } == addresses.keys()


def test_every_page_has_its_policy_and_nothing_of_others(
    addresses: dict[str, str], organiser: Client
) -> None:
    for name, path in addresses.items():
        answer = organiser.get(path)
        assert answer.status_code in (200, 202, 302, 404, 405), name
        # Without it the server could not answer HEAD without a body.
        assert answer.has_header("Content-Length"), name
        kind = answer["Content-Type"]
        assert not kind.startswith("text/") or kind.endswith("; charset=utf-8"), name
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert answer["Referrer-Policy"] == "same-origin", name
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin", name
        uses = SCANNER if name == "door:scanner" else NOTHING
        assert answer["Permissions-Policy"] == uses, name
        if name == "conference:outbox_html" or not answer["Content-Type"].startswith("text/html"):
            continue
        assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", ""), name
        if answer.content:
            assert_clean(name, answer.content.decode())


def assert_clean(name: str, html: str) -> None:
    """No code or style in the page itself, and nothing loaded from elsewhere."""
    assert not re.search(r"\sstyle\s*=", html), f"{name}: inline style"
    assert not re.search(r"<style", html), f"{name}: inline style"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", html), f"{name}: inline handler"
    assert not re.search(r"javascript:", html), f"{name}: javascript address"
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", html), f"{name}: inline script"
    loaded = re.findall(
        r"<(?:script|img|iframe|link|source|video|audio|embed|object)\b[^>]*?"
        r"\s(?:src|href|data|poster)=\"([^\"]+)\"",
        html,
    )
    assert [url for url in loaded if re.match(r"(?:[a-z]+:)?//", url)] == [], name


def test_every_page_may_be_opened_twice_and_changes_nothing(
    addresses: dict[str, str], organiser: Client
) -> None:
    changing = [Order, Scan, Mail, Consent, Subscriber, AuditEntry, Conference]

    def state() -> list[list[dict[str, object]]]:
        return [list(model.objects.order_by("pk").values()) for model in changing]  # type: ignore[attr-defined]

    before = state()
    for name, path in addresses.items():
        first, second = (organiser.get(path) for _ in range(2))
        assert first.status_code == second.status_code, name
        assert state() == before, name


def test_addresses_for_forms_change_nothing_and_say_so(
    addresses: dict[str, str], organiser: Client
) -> None:
    for name in NEEDS_A_FORM:
        answer = organiser.get(addresses[name])
        if name.startswith("tickets:"):
            assert (name, answer.status_code) == (name, 302)
            assert answer["Location"] == addresses["tickets:order"], name
        elif answer.status_code == 405 and answer["Content-Type"].startswith("text/html"):
            assert page(answer).find(".//h1").text == "Nothing to see here", name  # type: ignore[union-attr]


def test_private_pages_are_kept_by_no_cache_and_told_to_nobody(
    addresses: dict[str, str], client: Client
) -> None:
    for name in PRIVATE:
        answer = client.get(addresses[name])
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", ")), name
        assert answer["Referrer-Policy"] == "same-origin", name
        assert answer["X-Robots-Tag"] == "noindex", name


def test_forms_are_kept_by_no_cache(addresses: dict[str, str], client: Client) -> None:
    of_people = ("login", "password", "password_forgotten")
    for name in (
        *("tickets:reserve", "tickets:lost_link", "signup:bulletin"),
        *(f"conference:{name}" for name in of_people),
    ):
        assert "no-store" in client.get(addresses[name])["Cache-Control"], name


def test_organisers_pages_ask_strangers_to_log_in_and_refuse_volunteers(
    addresses: dict[str, str], client: Client
) -> None:
    volunteer = Client()
    volunteer.force_login(make_user("volunteer"))
    for name, path in addresses.items():
        if not name.startswith(("desk:", "door:")):
            continue
        stranger = client.get(path)
        if stranger.status_code != 405:
            asked = (stranger.status_code, stranger.get("Location", "").partition("?")[0])
            assert asked in ((302, "/login/"), (401, "")), name  # 401: asked by a script
        if name.startswith("desk:"):
            assert volunteer.get(path).status_code in (403, 405), name


def test_lists_take_as_many_statements_for_three_rows_as_for_one(
    client: Client, settings: Settings
) -> None:
    # As for the benchmarks, which read the number from the header.
    settings.MIDDLEWARE = ["conference.timing.server_timing", *settings.MIDDLEWARE]
    conference = make_conference()

    def another(number: int) -> None:
        make_type(conference)
        Edition.objects.create(
            number=number, title=f"No. {number}", body="Hello", published_on=date(2026, 1, number)
        )
        make_order(conference)
        run_queue()

    def statements() -> dict[str, int]:
        paths = ("/", "/bulletin/", "/outbox/", conference.get_absolute_url())
        paths += (f"{conference.get_absolute_url()}reserve/",)
        counted = {}
        for path in paths:
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(path)
            counted[path] = len(captured)
            assert answer["Server-Timing"] == f'sql;desc="{len(captured)}"'
        return counted

    another(1)
    one = statements()
    another(2)
    another(3)
    assert statements() == one
