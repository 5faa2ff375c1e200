"""At the door, in a real browser: camera, keyboard scanner, typing, undo, and no connection."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import qrcode
from django.conf import settings
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from conference.headers import WORKER_POLICY
from tests import factories
from tests.conftest import PATIENCE, PHONE
from tickets.models import Gate, Scan, Ticket

FRAMES_PER_SECOND = 30
Opens = Callable[..., None]
NAMES = ("Ada Lovelace", "Łucja Nowak", "محمد")


@pytest.fixture
def gate(live_server: LiveServer) -> Gate:
    """Main door of a conference for which NAMES have tickets."""
    conference = factories.make_conference(types={"Professional": 50, "Service user or carer": 20})
    factories.make_order(conference, names=NAMES)
    return factories.make_gate(conference)


def ticket_of(name: str) -> Ticket:
    return Ticket.objects.get(attendee_name=name)


def log_in(page: Page, url: str, role: str = "volunteer") -> None:
    """Give the page the session of somebody of this role."""
    client = Client()
    client.force_login(factories.make_user(role))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])


@pytest.fixture
def open_door(live_server: LiveServer, gate: Gate) -> Opens:
    """Opens the scanner of the gate for somebody of this role."""

    def open_page(page: Page, role: str = "volunteer") -> None:
        log_in(page, live_server.url, role)
        page.goto(f"/door/{gate.slug}/")
        expect(page.locator("[data-camera]")).to_be_visible()

    return open_page


def result(page: Page, title: str) -> None:
    """Wait until the screen is full of this word."""
    expect(page.locator("[data-result] [data-title]")).to_have_text(title)
    expect(page.locator("[data-result]")).to_be_visible()


def type_code(page: Page, code: str) -> None:
    page.get_by_label("Short code").fill(code)
    page.get_by_role("button", name="Check", exact=True).click()


def scanner_types(page: Page, text: str, *, gap_ms: float = 8, end: str | None = "Enter") -> None:
    """Press keys as a keyboard scanner does, at times of our own choosing."""
    keyboard = page.context.new_cdp_session(page)
    at = timezone.now().timestamp()
    ends = {"Enter": "\r", "Tab": ""}
    for key in [*text, *([end] if end else [])]:
        at += gap_ms / 1000
        letters = ends.get(key, key)
        press = {"key": key, "code": "", "timestamp": at}
        if key in ends:
            press["windowsVirtualKeyCode"] = {"Enter": 13, "Tab": 9}[key]
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": letters, **press})
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **press})


# -- typing -------------------------------------------------------------------------------------


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


# -- a scanner that types -----------------------------------------------------------------------


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


# -- the camera ---------------------------------------------------------------------------------


def qr_frame(text: str, *, dark: bool = False) -> bytes:
    """A picture of a QR code held before a grey wall; dark: as on a phone that inverts pages."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=6, border=4)
    code.add_data(text)
    code.make(fit=True)
    picture = code.make_image().convert("RGB")
    wall = Image.new("RGB", (640, 360), (90, 95, 100))
    wall.paste(ImageOps.invert(picture) if dark else picture, (170, 20))
    return jpeg(wall)


def jpeg(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    return data.getvalue()


def film(path: Path, *scenes: tuple[bytes, float]) -> Path:
    """Motion JPEG of pictures, each held for so many seconds. Chromium plays it in a loop."""
    path.write_bytes(b"".join(frame * int(s * FRAMES_PER_SECOND) for frame, s in scenes))
    return path


@pytest.fixture
def camera_page(
    launch_chromium: Callable[..., Browser], live_server: LiveServer
) -> Iterator[Callable[[Path], Page]]:
    """Opens a page on a device whose camera shows a film."""
    opened = []

    def open_page(path: Path) -> Page:
        browser = launch_chromium(
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={path}",
        )
        opened.append(browser)
        context = browser.new_context(base_url=live_server.url, viewport=PHONE)
        context.set_default_timeout(PATIENCE)
        context.grant_permissions(["camera"])
        return context.new_page()

    yield open_page
    for browser in opened:
        browser.close()


def test_camera_reads_tickets_and_screenshots_and_tells_what_is_none(
    camera_page: Callable[[Path], Page], open_door: Opens, tmp_path: Path
) -> None:
    wall = jpeg(Image.new("RGB", (640, 360), (90, 95, 100)))
    page = camera_page(
        film(
            tmp_path / "film.mjpeg",
            (qr_frame(ticket_of("Ada Lovelace").code), 1.2),
            (wall, 0.3),
            (qr_frame(ticket_of("Łucja Nowak").code, dark=True), 1.2),
            (wall, 0.3),
            (qr_frame("https://example.org/menu"), 1.2),
            (wall, 3.3),
        )
    )
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.route("**/decoder.js", with_worker_policy)
    open_door(page)
    start = page.get_by_role("button", name="Start the camera")
    if start.is_visible():
        start.click()
    rows = page.locator("[data-recent-list] li")
    expect(rows).to_have_count(4, timeout=20_000)
    outcomes = sorted(
        re.sub(r"\s+\d\d:\d\d.*", "", " ".join(text.split())) for text in rows.all_inner_texts()
    )
    expect(page.locator("[data-camera-say]")).to_have_text(
        "Hold the square code in front of the camera."
    )
    assert complaints == []
    assert outcomes[:2] == ["Ada Lovelace Admitted", "Ada Lovelace Already in"]
    assert "Not a ticket" in outcomes[2]
    assert outcomes[3] == "Łucja Nowak Admitted"
    page.get_by_role("link", name="Next").click()
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.locator("[data-camera-say]")).to_have_text("The camera is off.")
    assert page.evaluate("document.querySelector('video').srcObject") is None


def with_worker_policy(route: Route) -> None:
    """The worker's script as the web server sends it, with its own policy."""
    response = route.fetch()
    headers = {**response.headers, "content-security-policy": WORKER_POLICY}
    route.fulfill(response=response, headers=headers)


def test_camera_stops_while_the_page_is_hidden(
    camera_page: Callable[[Path], Page], open_door: Opens, tmp_path: Path
) -> None:
    wall = jpeg(Image.new("RGB", (640, 360), (90, 95, 100)))
    page = camera_page(film(tmp_path / "film.mjpeg", (wall, 1)))
    open_door(page)
    start = page.get_by_role("button", name="Start the camera")
    if start.is_visible():
        start.click()
    state = page.locator("[data-camera]")
    expect(state).to_have_attribute("data-state", "on")
    hide = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: true, configurable: true}}); {hide}"
    )
    assert page.evaluate("document.querySelector('video').srcObject") is None
    page.evaluate(f"delete document.hidden; {hide}")
    page.wait_for_function("document.querySelector('video').srcObject?.active")


def test_camera_that_is_missing_leaves_the_other_ways(page: Page, open_door: Opens) -> None:
    open_door(page)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("[data-camera-say]")).to_have_text(
        re.compile("no camera|camera is not allowed")
    )
    type_code(page, ticket_of("Ada Lovelace").reference)
    result(page, "Admitted")


# -- no connection ------------------------------------------------------------------------------


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


# -- search, and without scripts ----------------------------------------------------------------


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


# -- for everybody ------------------------------------------------------------------------------


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
        page.wait_for_function("window.heard.length > 0")
        heard.append(tuple(page.evaluate("window.heard.splice(0)")))
        page.keyboard.press("Escape")
    assert len(set(heard)) == 3
    assert len(set(page.evaluate("window.felt"))) == 3
