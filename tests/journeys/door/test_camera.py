"""The camera, filming tickets."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import qrcode
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from conference.headers import WORKER_POLICY
from tests.conftest import PATIENCE, PHONE
from tests.journeys.door.steps import (
    Opens,
    result,
    ticket_of,
    type_code,
    until,
)

FRAMES_PER_SECOND = 30


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
) -> Iterator[Callable[..., Page]]:
    """Opens a page on a device whose camera shows a film."""
    opened = []

    def open_page(path: Path | None, cameras: int = 1) -> Page:
        films = [f"--use-file-for-fake-video-capture={path}"] if path else []
        browser = launch_chromium(
            f"--use-fake-device-for-media-stream=device-count={cameras}",
            "--use-fake-ui-for-media-stream",
            *films,
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
    camera_page: Callable[..., Page], open_door: Opens, tmp_path: Path
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
    start_camera(page)
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


def start_camera(page: Page) -> None:
    """Start it where it did not start by itself, and wait for its picture."""
    start = page.get_by_role("button", name="Start the camera")
    if start.is_visible():
        start.click()
    expect(page.locator("[data-camera]")).to_have_attribute("data-state", "on")


def with_worker_policy(route: Route) -> None:
    """The worker's script as the web server sends it, with its own policy."""
    response = route.fetch()
    headers = {**response.headers, "content-security-policy": WORKER_POLICY}
    route.fulfill(response=response, headers=headers)


def test_camera_stops_while_the_page_is_hidden(
    camera_page: Callable[..., Page], open_door: Opens, tmp_path: Path
) -> None:
    wall = jpeg(Image.new("RGB", (640, 360), (90, 95, 100)))
    page = camera_page(film(tmp_path / "film.mjpeg", (wall, 1)))
    open_door(page)
    start_camera(page)
    hide = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: true, configurable: true}}); {hide}"
    )
    assert page.evaluate("document.querySelector('video').srcObject") is None
    page.evaluate(f"delete document.hidden; {hide}")
    until(page, "Boolean(document.querySelector('video').srcObject?.active)")


def test_chosen_camera_is_remembered(camera_page: Callable[..., Page], open_door: Opens) -> None:
    page = camera_page(None, cameras=2)
    open_door(page)
    start_camera(page)
    used = "document.querySelector('video').srcObject?.getVideoTracks()[0].getSettings().deviceId"
    first = page.evaluate(used)
    page.get_by_role("button", name="Other camera").click()
    until(page, f"![undefined, '{first}'].includes({used})")
    second = page.evaluate(used)
    page.reload()
    expect(page.locator("[data-camera]")).to_be_visible()
    start_camera(page)
    assert page.evaluate(used) == second


def test_first_press_counts_while_the_page_asks_to_be_touched(
    camera_page: Callable[..., Page], open_door: Opens
) -> None:
    page = camera_page(None, cameras=2)
    # The camera starts by itself, and nobody has touched the page; Playwright's looks would count.
    page.add_init_script(
        "Object.defineProperty(navigator, 'userActivation', {value: {hasBeenActive: false}})"
    )
    open_door(page)
    start_camera(page)
    hint = page.locator("[data-sound-hint]")
    expect(hint).to_be_visible()
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.locator("[data-camera]")).to_have_attribute("data-state", "off")
    expect(hint).to_be_hidden()


def test_camera_that_is_missing_leaves_the_other_ways(page: Page, open_door: Opens) -> None:
    open_door(page)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("[data-camera-say]")).to_have_text(
        re.compile("no camera|camera is not allowed")
    )
    type_code(page, ticket_of("Ada Lovelace").reference)
    result(page, "Admitted")
