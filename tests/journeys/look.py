"""Looking at a page as people see it: at two widths, light and dark."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.conftest import AXE
from tests.journeys.sideways import scrolls_sideways_by

WIDTHS = (390, 1280)
AXE_SOURCE = AXE.read_text()
NARROWEST = 320  # a page of 1280 px enlarged to 400%
# Beyond axe's own choice: text at 7 to 1, as the accessibility statement says.
ALL_RULES = {
    "rules": {"color-contrast-enhanced": {"enabled": True}},
    "resultTypes": ["violations"],
}
# What the colour scheme can change; all else is checked once for each width.
BY_COLOUR = {"runOnly": ["color-contrast", "color-contrast-enhanced", "link-in-text-block"]}
FOUND = """
async (options) => (await axe.run(options)).violations.map(
    (v) => v.id + ": " + v.nodes.map((n) => n.target).join(" "))
"""


class Look:
    """Opens pages of a site and looks at them."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site

    def __call__(self, path: str, heading: str | re.Pattern[str]) -> Page:
        """Open the page at `path`, see that its heading is the one that is meant, look at it."""
        self.page.goto(self.site + path)
        return self.here(heading)

    def press(self, button: str, nth: int = -1) -> None:
        """Press a button that sends a form, and wait for the page that answers.

        Its heading may be the one that stands here already, so a heading alone would not tell.
        `nth` says which, where several bear that name: the last if nothing else is said.
        """
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button).nth(nth).click()

    def here(self, heading: str | re.Pattern[str]) -> Page:
        """Look at the page that is open: at a phone's and a desktop's width, light and dark."""
        expect(self.page.locator("h1").first).to_have_text(heading)
        self.page.evaluate(AXE_SOURCE)
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                self.judge(width, scheme)
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": NARROWEST, "height": 900})
        self.does_not_scroll_sideways(f"{self.page.url} at {NARROWEST} px")
        return self.page

    def judge(self, width: int, scheme: str) -> None:
        """Fail where axe finds a violation, or where the page scrolls sideways."""
        where = f"{self.page.url} at {width} px, {scheme}"
        found = self.page.evaluate(FOUND, ALL_RULES if scheme == "light" else BY_COLOUR)
        assert found == [], f"{where}: {found}"
        self.does_not_scroll_sideways(where)

    def does_not_scroll_sideways(self, where: str) -> None:
        """Fail where the page is wider than its window."""
        beyond = scrolls_sideways_by(self.page)
        assert beyond <= 0, f"{where} scrolls sideways by {beyond} px"
