"""Scanners that type like a keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.door.steps import (
    Opens,
    hold,
    result,
    scanner_types,
    ticket_of,
    until,
)
from tickets.models import Scan


def test_scanner_is_heard_wherever_the_focus_is(page: Page, open_door: Opens) -> None:
    open_door(page)
    ada, lucja = ticket_of("Ada Lovelace"), ticket_of("Łucja Nowak")
    page.get_by_label("Short code").fill("half")
    scanner_types(page, ada.code)
    result(page, "Admitted")
    expect(page.get_by_label("Short code")).to_have_value("half")
    # At once the next one, with Caps Lock on, ended by Tab, over the result.
    scanner_types(page, lucja.code.swapcase(), end="Tab")
    expect(page.locator("[data-name]")).to_have_text("Łucja Nowak")
    assert Scan.objects.filter(outcome="admitted").count() == 2
    scanner_types(page, "HTTPS://EXAMPLE.ORG/MENU")
    result(page, "Not a ticket")


def test_scan_under_way_does_not_hide_the_refusal_before_it(page: Page, open_door: Opens) -> None:
    open_door(page)
    held = hold(page, "**/scan/")
    code = ticket_of("Ada Lovelace").code
    scanner_types(page, "HTTPS://EXAMPLE.ORG/MENU")
    until(page, "document.querySelector('[data-result] [data-title]').textContent === 'Checking…'")
    half_way = scanner_types(page, code[:60], end=None)
    held[0].continue_()
    result(page, "Not a ticket")
    scanner_types(page, code[60:], after=half_way)
    page.wait_for_timeout(500)
    result(page, "Not a ticket")
    page.get_by_role("link", name="Next").click()
    result(page, "Admitted")
    scanner_types(page, code)  # begun after the result: goes on from it
    result(page, "Already in")


@pytest.mark.parametrize(("gap_ms", "scans"), [(55, 1), (66, 0)])
def test_letters_further_apart_than_the_gap_are_typing(
    page: Page, open_door: Opens, gap_ms: float, scans: int
) -> None:
    open_door(page)
    scanner_types(page, ticket_of("Ada Lovelace").code, gap_ms=gap_ms)
    if scans:
        result(page, "Admitted")
    page.wait_for_timeout(300)
    assert Scan.objects.count() == scans


def test_scanner_can_be_tried_without_letting_anybody_in(page: Page, open_door: Opens) -> None:
    open_door(page)
    code = ticket_of("Ada Lovelace").code
    page.get_by_text("Test your scanner").click()
    verdict = page.locator("[data-verdict]")
    scanner_types(page, code, gap_ms=100)
    expect(verdict).to_have_text(re.compile("too slowly"))
    page.get_by_label("Speed of the scanner").select_option(label="Slow (by Bluetooth)")
    scanner_types(page, code, gap_ms=100)
    expect(verdict).to_have_text("Your scanner works.")
    scanner_types(page, code, end=None)
    expect(verdict).to_have_text(re.compile("no Enter or Tab"))
    scanner_types(page, "4006381333931")
    expect(verdict).to_have_text(re.compile("no ticket of ours"))
    assert Scan.objects.count() == 0
    page.reload()
    expect(page.get_by_label("Speed of the scanner")).to_have_value("150")
    scanner_types(page, code, gap_ms=100)
    result(page, "Admitted")
