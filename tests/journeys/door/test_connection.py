"""No connection: nothing is lost, and nothing is judged twice."""

import re

from playwright.sync_api import Page, Route, expect

from tests.journeys.door.steps import (
    Opens,
    result,
    ticket_of,
    type_code,
)
from tickets.models import Scan


def test_lost_connection_is_said_and_the_same_scan_asked_again(
    page: Page, open_door: Opens
) -> None:
    open_door(page)
    asked: list[str] = []

    def lose_answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        if len(asked) == 1:
            route.fetch()  # the service judges, but its answer is lost on the way
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/scan/", lose_answer)
    type_code(page, ticket_of("Ada Lovelace").reference)
    result(page, "No connection")
    expect(page.locator("[data-lines]")).to_contain_text("Not checked.")
    page.locator("[data-result]").get_by_role("button", name="Try again").click()
    result(page, "Admitted")
    assert asked[0] == asked[1]
    assert Scan.objects.count() == 1
    expect(page.locator("[data-recent-list] li")).to_have_count(1)


def test_offline_scan_stays_in_the_list_until_it_is_checked(page: Page, open_door: Opens) -> None:
    open_door(page)
    page.context.set_offline(True)
    type_code(page, ticket_of("Ada Lovelace").reference)
    result(page, "No connection")
    page.keyboard.press("Escape")
    type_code(page, ticket_of("Łucja Nowak").reference)
    result(page, "No connection")
    assert Scan.objects.count() == 0
    page.context.set_offline(False)  # the one on the screen is asked again by itself
    result(page, "Admitted")
    page.keyboard.press("Escape")
    page.locator("[data-recent]").get_by_role("button", name="Try again").click()
    expect(page.locator("[data-name]")).to_have_text("Ada Lovelace")
    result(page, "Admitted")


def test_logged_out_phone_is_sent_to_log_in(page: Page, open_door: Opens) -> None:
    open_door(page)
    page.context.clear_cookies()
    type_code(page, ticket_of("Ada Lovelace").reference)
    # Without its cookies the page's token is worth nothing either.
    expect(page.locator("[data-lines]")).to_contain_text("Not checked.")
    page.locator("[data-result] [data-retry]").click()
    expect(page).to_have_url(re.compile(r"/login/\?next=/door/"))
