"""What the reservation form's scripts do, and that they stay out of the way."""

import re

import pytest
from playwright.sync_api import Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from conference.models import Conference
from tickets.models import Order


@pytest.fixture
def form(page: Page, site: LiveServer, conference: Conference) -> Page:
    """The open form, with one empty row for a person."""
    page.goto(f"/{conference.slug}/reserve/")
    return page


def test_people_are_added_and_removed_on_the_spot(form: Page) -> None:
    form.get_by_role("group", name="Person 1").get_by_label("Name").fill("Amina")
    for name in ("Łucja", "محمد"):
        form.get_by_role("button", name="Add another person").click()
        expect(form.locator(":focus")).to_have_value("")
        form.keyboard.type(name)
    assert _names(form) == {
        "form-0-attendee_name": "Amina",
        "form-1-attendee_name": "Łucja",
        "form-2-attendee_name": "محمد",
    }
    form.get_by_role("button", name="Remove person 2").click()
    expect(form.locator("[data-people-status]")).to_have_text("Person 2 removed.")
    assert _names(form) == {"form-0-attendee_name": "Amina", "form-1-attendee_name": "محمد"}
    assert form.locator("[name=form-TOTAL_FORMS]").input_value() == "2"
    ids = form.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_no_more_than_ten_people_can_be_added(form: Page) -> None:
    add = form.get_by_role("button", name="Add another person")
    for _ in range(9):
        add.click()
    expect(add).to_be_hidden()
    form.get_by_role("button", name="Remove person 10").click()
    expect(add).to_be_visible()


def test_added_person_brings_no_error_along(form: Page) -> None:
    form.get_by_role("button", name="Reserve my places").last.click()
    expect(form.locator(":focus")).to_contain_text("Person 1: Enter the name of this person.")
    form.get_by_role("button", name="Add another person").click()
    second = form.get_by_role("group", name="Person 2")
    assert second.locator(".field-error, .has-error, [aria-invalid]").count() == 0
    assert second.locator("[aria-describedby]").evaluate_all(
        "all => all.map(e => e.getAttribute('aria-describedby'))"
    ) == ["id_form-1-attendee_email_helptext"]


def test_total_says_what_a_press_will_do(form: Page) -> None:
    total = form.locator("[data-total]")
    expect(total).to_be_hidden()
    form.get_by_label("£15").check()
    expect(total).to_have_text("1 place, with a donation of £15. You pay £15 on the next page.")
    form.get_by_role("button", name="Add another person").click()
    form.get_by_label("Another amount", exact=True).check()
    expect(total).to_be_hidden()
    form.get_by_label("Another amount, in pounds").fill("1,020.5")
    expect(total).to_have_text(
        "2 places, with a donation of £1,020.50. You pay £1,020.50 on the next page."
    )
    form.get_by_label("Another amount, in pounds").fill("1e3")
    expect(total).to_be_hidden()
    form.get_by_label("No donation this time").check()
    expect(total).to_have_text("2 places, no donation this time. Nothing to pay.")
    expect(form.get_by_label("Another amount, in pounds")).to_be_hidden()


def test_double_click_sends_the_form_once(form: Page) -> None:
    sent: list[Request] = []
    form.on("request", lambda r: sent.append(r) if r.method == "POST" else None)
    _fill_in(form)
    form.get_by_role("button", name="Reserve my places").last.dblclick()
    expect(form.locator("h1")).to_have_text("Your ticket")
    assert len(sent) == 1
    assert Order.objects.count() == 1


def test_button_is_ready_again_after_going_back(form: Page) -> None:
    _fill_in(form)
    form.get_by_role("button", name="Reserve my places").last.click()
    expect(form.locator("h1")).to_have_text("Your ticket")
    form.go_back()
    button = form.locator("[data-busy]")
    expect(button).to_have_text("Reserve my places")
    assert button.get_attribute("aria-disabled") is None


def test_enter_in_a_text_field_sends_the_form_and_removes_nobody(form: Page) -> None:
    form.get_by_role("button", name="Add another person").click()
    _fill_in(form)
    form.get_by_role("group", name="Person 2").get_by_label("Name").press("Enter")
    expect(form.locator(".error-summary")).to_contain_text("Person 2")
    expect(form.get_by_role("group", name=re.compile("^Person"))).to_have_count(2)


def _names(form: Page) -> dict[str, str]:
    """The people's names as they would be sent."""
    fields: dict[str, str] = form.locator("[name$=attendee_name]").evaluate_all(
        "all => Object.fromEntries(all.map(e => [e.name, e.value]))"
    )
    return fields


def _fill_in(form: Page) -> None:
    form.get_by_label("Your name").fill("Amina Yusuf")
    form.get_by_label("Your e-mail address").fill("amina@example.org")
    first = form.get_by_role("group", name="Person 1")
    first.get_by_label("Name").fill("Amina Yusuf")
    first.get_by_label("Kind of ticket").select_option(index=1)
    form.get_by_label("No donation this time").check()
