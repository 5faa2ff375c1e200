"""Whether a page fits its window, whatever fonts the machine has."""

from playwright.sync_api import Page

# A monospace font a quarter wider than usual. By script: the policy forbids a page any style of
# its own, and Playwright's way is one.
MEASURE = """
() => {
    const {documentElement: page} = document;
    const beyond = () => page.scrollWidth - page.clientWidth;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("code, .code, .mail-text { font-size: 125% } #code { font-size: 1.9rem }");
    const usual = beyond();
    document.adoptedStyleSheets = [sheet];
    const wide = beyond();
    document.adoptedStyleSheets = [];
    return Math.max(usual, wide);
}
"""


def scrolls_sideways_by(page: Page) -> int:
    """How many pixels the page is wider than its window, with this machine's fonts or wide ones."""
    beyond: int = page.evaluate(MEASURE)
    return beyond
