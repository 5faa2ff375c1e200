"""A WSGI application for test_gunicorn: answers with its process, at once or after a while."""

import os
import time
from typing import Any

from conference.turns import in_turn, while_waiting_outside


@in_turn
def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """`/work` takes a moment of the process's time, `/outside` waits for somebody else."""
    if environ["PATH_INFO"] == "/work":
        time.sleep(0.4)
    if environ["PATH_INFO"] == "/outside":
        with while_waiting_outside():
            time.sleep(6)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
