"""A WSGI application for test_serve: answers with its process and how much it was sent."""

import os
import time
from typing import Any


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """`/slow` takes a second, `/end` ends the process; every other path answers at once."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    if environ["PATH_INFO"] == "/end":
        os._exit(1)
    sent = len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {sent}".encode()]
