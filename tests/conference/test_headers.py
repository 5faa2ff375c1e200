"""Headers of all that is answered, and the cookies among them."""

from wsgiref.headers import Headers

import pytest
from django.test import Client
from playwright.sync_api import Page
from pytest_django.fixtures import Settings

from conference.headers import NOTHING, SCANNER, WORKER_POLICY, add_headers
from tests.factories import PASSWORD, make_order, make_user


@pytest.mark.parametrize(
    ("url", "policy"),
    [
        ("/static/tickets/door/decoder.js", WORKER_POLICY),
        ("/static/tickets/door/decoder.0a1b2c3d4e5f.js", WORKER_POLICY),
        ("/static/tickets/door/decoder.js.map", None),
        ("/static/tickets/door/door.js", None),
        ("/static/conference/theme.css", None),
    ],
)
def test_worker_alone_has_a_policy_of_its_own(url: str, policy: str | None) -> None:
    headers = Headers([])
    add_headers(headers, "", url)
    assert headers["Content-Security-Policy"] == policy


def test_camera_is_for_scanning_alone() -> None:
    assert "camera=(), " in NOTHING
    assert "self" not in NOTHING
    allowed = [part.removesuffix("=(self)") for part in SCANNER.split(", ") if "self" in part]
    assert allowed == ["autoplay", "camera", "screen-wake-lock"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/static/conference/icon.svg", "/static/none.css", "/no/such/"])
def test_static_files_and_errors_have_them_too(client: Client, path: str) -> None:
    headers = client.get(path).headers
    is_file = path.startswith("/static/")  # they are no pages, and the header is long
    assert headers.get("Permissions-Policy") == (None if is_file else NOTHING)
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize(("host", "status"), [("evil.example", 400), ("localhost", 301)])
def test_refused_host_and_redirect_to_https_have_them_too(
    client: Client, settings: Settings, host: str, status: int
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == status
    assert answer["Permissions-Policy"] == NOTHING
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["Content-Length"] == str(len(answer.content))


def test_browser_knows_every_feature_that_is_named(page: Page) -> None:
    """It would complain in every visitor's console about one that it does not know."""
    page.goto("about:blank")
    known = page.evaluate("document.featurePolicy.features()")
    assert {part.partition("=")[0] for part in NOTHING.split(", ")} - set(known) == set()


@pytest.mark.django_db
def test_cookies_of_a_real_site_may_be_accepted_by_browsers(
    client: Client, settings: Settings
) -> None:
    real = {
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "MESSAGE_STORAGE": "conference.cookies.HostMessages",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
    }
    for name, value in real.items():
        setattr(settings, name, value)
    order = make_order()
    user = make_user("organiser")
    answers = [
        client.post("/login/", {"username": user.email, "password": PASSWORD}),
        client.post(f"/orders/{order.secret}/resend/"),  # a message for the next page
        client.get(f"/orders/{order.secret}/"),  # which takes it away
    ]
    cookies = [cookie for answer in answers for cookie in answer.cookies.values()]
    assert [(cookie.key, bool(cookie.value)) for cookie in cookies] == [
        ("__Host-device", True),
        ("__Host-csrftoken", True),
        ("__Host-sessionid", True),
        ("__Host-messages", True),
        ("__Host-messages", False),
        ("__Host-csrftoken", True),
    ]
    for cookie in cookies:
        is_bound = cookie["secure"], cookie["path"], cookie["domain"], cookie["samesite"]
        assert is_bound == (True, "/", "", "Lax"), cookie
        assert cookie["httponly"] or not cookie.value, cookie
