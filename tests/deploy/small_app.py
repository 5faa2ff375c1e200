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
    body = f"{os.getpid()} {sent}".encode()
    # As Django does for every page.
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
