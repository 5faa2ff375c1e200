"""Forms in a browser: errors, what is kept, going back, cookies, focus and motion.

What the reservation form's own scripts do is in test_reserve_form.py.
"""

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from conference.models import Conference
from sandbox.server import Sandbox
from tests.factories import make_order
from tickets.models import Order


@pytest.fixture
def form(page: Page, site: LiveServer) -> Page:
    """The reservation form of the sample conference, freshly opened on a phone."""
    page.goto(f"/{Conference.objects.get().slug}/reserve/")
    return page


def fill_in(page: Page, name: str = "Ada Lovelace") -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    first = page.get_by_role("group", name="Person 1")
    first.get_by_label("Name").fill(name)
    first.get_by_label("Kind of ticket").select_option(index=1)
    page.get_by_label("No donation this time").check()


def submit(page: Page) -> None:
    page.get_by_role("button", name="Reserve my places").last.click()


# -- errors ---------------------------------------------------------------------------------------


def test_summary_takes_the_focus_and_leads_to_the_fields(form: Page) -> None:
    submit(form)
    summary = form.get_by_role("alert", name="Please check these")
    expect(summary).to_be_focused()
    expect(form).to_have_title(re.compile("^Please check:"))
    links = summary.get_by_role("link")
    assert links.count() == 5
    for link in links.all():
        link.press("Enter")
        focused = form.locator(":focus")
        assert focused.evaluate("e => e.matches('input, select')")
        assert "#" + str(focused.get_attribute("id")) == link.get_attribute("href")
        # Only reading what the field is described by tells a screen reader the error.
        said = form.evaluate(
            """() => {
              const group = document.activeElement.closest("[aria-describedby]");
              return group.getAttribute("aria-describedby").split(" ")
                .map((id) => document.getElementById(id).textContent.trim()).join(" ");
            }"""
        )
        assert said != ""
        assert said.split(" If you")[0] in link.inner_text()


def test_nothing_typed_is_lost_by_an_error(form: Page) -> None:
    fill_in(form)
    form.get_by_label("Your e-mail address").fill("ada@")
    form.get_by_role("button", name="Add another person").click()
    second = form.get_by_role("group", name="Person 2")
    second.get_by_label("Name").fill("محمد")
    second.get_by_label("Kind of ticket").select_option(index=3)
    second.get_by_label("E-mail").fill("m@example.org")
    form.get_by_label("Another amount", exact=True).check()
    form.get_by_label("Another amount, in pounds").fill("20,50")
    form.get_by_label("Please also send me the Bulletin").check()
    submit(form)
    expect(form.locator("[data-error-summary] li")).to_have_count(2)
    expect(form.get_by_label("Your name")).to_have_value("Ada Lovelace")
    expect(form.get_by_label("Your e-mail address")).to_have_value("ada@")
    expect(second.get_by_label("Name")).to_have_value("محمد")
    assert second.get_by_label("Kind of ticket").evaluate("e => e.selectedIndex") == 3
    expect(second.get_by_label("E-mail")).to_have_value("m@example.org")
    expect(form.get_by_label("Another amount", exact=True)).to_be_checked()
    expect(form.get_by_label("Another amount, in pounds")).to_have_value("20,50")
    expect(form.get_by_label("Please also send me the Bulletin")).to_be_checked()
    form.get_by_label("Your e-mail address").fill("ada@example.org")
    form.get_by_label("No donation this time").check()
    submit(form)
    expect(form.locator("h1")).to_have_text("Your tickets")


# -- sent once ------------------------------------------------------------------------------------


def test_button_says_that_it_is_at_work_until_back_is_pressed(form: Page) -> None:
    fill_in(form)
    form.route("**/reserve/", lambda route: None)  # an answer that never comes
    said = form.evaluate(
        """() => {
          const button = document.querySelector("[data-busy]");
          const state = () => [button.textContent, button.getAttribute("aria-disabled")];
          button.click();
          const during = state();
          window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
          return [during, state()];
        }"""
    )
    assert said == [["One moment…", "true"], ["Reserve my places", None]]


def test_back_after_reserving_cannot_reserve_the_same_again(form: Page) -> None:
    fill_in(form)
    submit(form)
    expect(form.locator("h1")).to_have_text("Your ticket")
    form.go_back()
    expect(form.locator("h1")).to_have_text("Reserve places")
    with form.expect_navigation():
        submit(form)  # an empty form, or the same one, as the browser likes
    assert Order.objects.count() == 1


def test_reload_of_the_order_page_changes_nothing(form: Page) -> None:
    fill_in(form)
    submit(form)
    expect(form.locator("h1")).to_have_text("Your ticket")
    form.reload()
    expect(form.locator("h1")).to_have_text("Your ticket")
    assert Order.objects.count() == 1


def test_back_from_stripe_after_paying_shows_the_tickets(
    stripe_with_webhooks: Sandbox, form: Page
) -> None:
    fill_in(form)
    form.get_by_label("£15").check()
    submit(form)
    form.get_by_role("button", name=re.compile("Pay")).first.click()
    expect(form.locator("h1")).to_have_text("Your ticket")
    url = form.url
    form.go_back()
    form.goto(url)
    expect(form.locator("h1")).to_have_text("Your ticket")
    assert Order.objects.get().status == Order.Status.CONFIRMED


# -- without cookies ------------------------------------------------------------------------------


def test_cookies_off_the_form_comes_back_and_then_works(form: Page) -> None:
    fill_in(form)
    form.context.clear_cookies()
    submit(form)
    expect(form.locator("h1")).to_have_text("Please send that again")
    form.get_by_role("button", name="Send it again").click()
    expect(form.locator("h1")).to_have_text("Your ticket")


# -- for everybody --------------------------------------------------------------------------------

FOCUS_RING = """
() => {
  const style = getComputedStyle(document.activeElement);
  const near = document.activeElement.closest(".choice, .check") ?? document.activeElement;
  const ring = [style, getComputedStyle(near)].map(
    (s) => s.outlineStyle !== "none" ? parseFloat(s.outlineWidth) : 0);
  return Math.max(...ring);
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keyboard_focus_is_always_seen(form: Page, scheme: str) -> None:
    form.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in (form.url, make_order(Conference.objects.get()).get_absolute_url(), "/"):
        form.goto(path)
        seen = []
        for _ in range(40):
            form.keyboard.press("Tab")
            if form.evaluate("document.activeElement === document.body"):
                break
            name = form.evaluate("document.activeElement.outerHTML.slice(0, 100)")
            assert form.evaluate(FOCUS_RING) >= 3, name
            assert form.locator(":focus").bounding_box() is not None, name
            seen.append(name)
        assert len(seen) > 8


def test_reduced_motion_moves_nothing(form: Page) -> None:
    form.emulate_media(reduced_motion="reduce")
    for path in (form.url, "/", "/bulletin/"):
        form.goto(path)
        longest = form.evaluate(
            """() => Math.max(0, ...[...document.querySelectorAll("*")].flatMap((e) => {
                 const style = getComputedStyle(e);
                 return [style.transitionDuration, style.animationDuration]
                   .flatMap((times) => times.split(",").map(parseFloat));
               }))"""
        )
        assert longest <= 0.01
        behaviour = form.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
        assert behaviour == "auto"
