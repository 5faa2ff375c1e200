"""People at the door: typing, undo, search, and for everybody."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import factories
from tests.conftest import PATIENCE, PHONE
from tests.journeys.door.steps import (
    Opens,
    hold,
    log_in,
    result,
    scanner_types,
    ticket_of,
    type_code,
    until,
)
from tickets.models import Gate, Scan


def test_volunteer_logs_in_and_lets_somebody_in_once(page: Page, gate: Gate) -> None:
    user = factories.make_user("volunteer")
    page.goto("/door/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Main door")).to_be_visible()
    expect(page.locator(".door-counts")).to_have_text("0 in, 3 expected")
    reference = ticket_of("Ada Lovelace").reference
    type_code(page, reference.lower().replace("-", ""))
    result(page, "Admitted")
    expect(page.locator("[data-name]")).to_have_text("Ada Lovelace")
    expect(page.locator("[data-announcer]")).to_have_text("Admitted. Ada Lovelace.")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".door-counts")).to_have_text("1 in, 3 expected")
    type_code(page, reference)
    result(page, "Already in")
    since = re.compile(r"^Since \d\d:\d\d at Main door\.Is this someone else's ticket\?")
    expect(page.locator("[data-lines]")).to_have_text(since)
    said = re.compile(r"^Already in, since \d\d:\d\d at Main door\.")
    expect(page.locator("[data-announcer]")).to_have_text(said)


def test_admitted_gives_way_by_itself_and_what_needs_a_decision_stays(
    page: Page, open_door: Opens
) -> None:
    open_door(page)
    type_code(page, ticket_of("Ada Lovelace").reference)
    result(page, "Admitted")
    expect(page.locator("[data-result]")).to_be_hidden()
    type_code(page, "AAAA-BBBB")
    result(page, "Not on the list")
    page.wait_for_timeout(3500)
    expect(page.locator("[data-result]")).to_be_visible()


def test_keyboard_alone_is_enough(page: Page, open_door: Opens) -> None:
    open_door(page)
    ada, lucja = ticket_of("Ada Lovelace"), ticket_of("Łucja Nowak")
    page.get_by_label("Short code").focus()
    page.keyboard.type(ada.reference, delay=70)
    page.keyboard.press("Enter")
    result(page, "Admitted")
    # The first letter of the next code takes the result away and is not lost.
    page.keyboard.type(lucja.reference, delay=70)
    expect(page.get_by_label("Short code")).to_have_value(lucja.reference)
    page.keyboard.press("Enter")
    result(page, "Admitted")
    expect(page.locator("[data-name]")).to_have_text("Łucja Nowak")
    page.keyboard.press("Tab")
    expect(page.locator("[data-result]").get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-camera-say]")).to_have_text("Undone. Łucja Nowak is not in.")
    assert [scan.undone_at is not None for scan in Scan.objects.order_by("at")] == [False, True]


def test_undo_from_the_list_lets_the_ticket_in_again(page: Page, open_door: Opens) -> None:
    open_door(page)
    code = ticket_of("Ada Lovelace").reference
    type_code(page, code)
    result(page, "Admitted")
    page.keyboard.press("Escape")
    page.locator("[data-recent]").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-recent-list] li")).to_have_text(re.compile("Ada Lovelace.*Undone"))
    expect(page.locator(".door-counts")).to_have_text("0 in, 3 expected")
    type_code(page, code)
    result(page, "Admitted")


def test_slow_undo_does_not_hide_the_next_persons_result(page: Page, open_door: Opens) -> None:
    open_door(page)
    held = hold(page, "**/undo/")
    type_code(page, ticket_of("Ada Lovelace").reference)
    result(page, "Admitted")
    page.keyboard.press("Escape")
    page.locator("[data-recent]").get_by_role("button", name="Undo").click()
    type_code(page, "nonsense")
    result(page, "Not on the list")
    held[0].continue_()
    expect(page.locator("[data-recent-list]")).to_contain_text("Undone")
    result(page, "Not on the list")


def test_refusal_stays_until_somebody_has_seen_it(page: Page, open_door: Opens) -> None:
    open_door(page)
    held = hold(page, "**/scan/")
    scanner_types(page, "HTTPS://EXAMPLE.ORG/MENU")
    until(page, "document.querySelector('[data-result] [data-title]').textContent === 'Checking…'")
    scanner_types(page, ticket_of("Ada Lovelace").code)
    held[0].continue_()
    result(page, "Not a ticket")
    page.wait_for_timeout(500)
    result(page, "Not a ticket")
    page.get_by_role("link", name="Next").click()
    result(page, "Admitted")


def test_organiser_finds_somebody_and_is_asked_before_they_are_in(
    page: Page, open_door: Opens
) -> None:
    open_door(page, "organiser")
    page.get_by_role("link", name="Search by name").click()
    page.get_by_label("Name").fill("nowak")
    page.get_by_role("button", name="Search").click()
    assert "nowak" not in page.url
    page.get_by_text("Check in").first.click()
    assert Scan.objects.count() == 0
    page.get_by_role("button", name="Yes, let Łucja Nowak in").click()
    result(page, "Admitted")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".door-counts")).to_have_text("1 in, 3 expected")


def test_short_code_works_without_scripts(
    browser: Browser, live_server: LiveServer, gate: Gate
) -> None:
    context = browser.new_context(
        base_url=live_server.url, viewport=PHONE, java_script_enabled=False
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    log_in(page, live_server.url)
    page.goto(f"/door/{gate.slug}/")
    expect(page.locator("[data-camera]")).to_be_hidden()
    code = ticket_of("Ada Lovelace").reference
    type_code(page, code)
    result(page, "Admitted")
    type_code(page, code)
    result(page, "Already in")
    type_code(page, "nonsense here")
    result(page, "Not a ticket")
    type_code(page, ticket_of("محمد").reference)
    result(page, "Admitted")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone. محمد is not in.")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_are_accessible_and_nothing_scrolls_sideways(
    page: Page, gate: Gate, open_door: Opens, check_page: Callable[[Page], None], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    factories.make_order(gate.conference, names=("W" * 200,), name="Booker")
    open_door(page, "organiser")
    check_page(page)
    for code in (ticket_of("W" * 200).reference, ticket_of("W" * 200).reference, "x"):
        type_code(page, code)
        expect(page.locator("[data-result]")).to_be_visible()
        check_page(page)
        page.keyboard.press("Escape")
    page.get_by_text("Who is in, by ticket").click()
    page.get_by_text("Test your scanner").click()
    check_page(page)
    factories.make_gate(gate.conference, "Garden gate")
    page.goto("/door/")
    check_page(page)
    page.goto(f"/door/{gate.slug}/search/")
    page.get_by_label("Name").fill("ad")
    page.get_by_role("button", name="Search").click()
    check_page(page)
    page.get_by_label("Name").fill("booker")
    page.get_by_role("button", name="Search").click()
    check_page(page)


def test_outcomes_sound_and_feel_different(page: Page, open_door: Opens) -> None:
    page.add_init_script(
        """
        window.felt = [];
        navigator.vibrate = (pattern) => window.felt.push(String(pattern));
        window.heard = [];
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...when) {
          window.heard.push(this.type + Math.round(this.frequency.value));
          return start.apply(this, when);
        };
        """
    )
    open_door(page)
    code = ticket_of("Ada Lovelace").reference
    heard = []
    for typed, title in ((code, "Admitted"), (code, "Already in"), ("no", "Not a ticket")):
        type_code(page, typed)
        result(page, title)
        until(page, "window.heard.length > 0")
        heard.append(tuple(page.evaluate("window.heard.splice(0)")))
        page.keyboard.press("Escape")
    assert len(set(heard)) == 3
    assert len(set(page.evaluate("window.felt"))) == 3
