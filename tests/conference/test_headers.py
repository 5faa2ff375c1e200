"""Headers of static files."""

from wsgiref.headers import Headers

import pytest

from conference.headers import WORKER_POLICY, add_headers


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
