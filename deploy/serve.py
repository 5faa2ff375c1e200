"""The web server, here and in production: `python -m deploy.serve`.

A few processes listen on one socket, and in each waitress reads whole requests before a thread
sees them: a slow connection costs a buffer, never a thread. docs/decisions/serving.md says what
else was tried.

Read from the environment: HOST (127.0.0.1), PORT (8000), WEB_WORKERS (2 processes) and WEB_THREADS
(12 in each: that many may wait for Stripe at once).
"""

import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any

from waitress import create_server
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError

MIB = 1024 * 1024
LARGEST_FORM = MIB  # bytes; settings.DATA_UPLOAD_MAX_MEMORY_SIZE is the same
# Pictures and PDFs, which organisers upload in the admin.
LARGEST_UPLOAD = 25 * MIB
UPLOAD_PATHS = "/admin/"
CONNECTIONS = 1000  # of each process
# A connection without traffic for this long is closed.
SILENT_FOR = 30  # seconds
# How long a stop waits for requests to finish; one that calls Stripe twice may take 26 s.
STOP_WITHIN = 30.0  # seconds
LOOK_AGAIN = 0.05  # seconds


def without_body_for_head(application: Any) -> Any:
    """Wrap a WSGI application so that HEAD is answered by the headers alone.

    Django leaves that to the server, and waitress to the application. A proxy would take the body
    for the beginning of its next answer. Every page has a Content-Length, from Django.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body
        if hasattr(body, "close"):
            body.close()
        return []

    return answer


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """waitress's parser with a larger limit for uploads; waitress has one limit for all paths.

    It also refuses what waitress stumbles over: an address such as http://[::1/, and a length of
    thousands of digits. tests/deploy/test_serve.py fails if a new release of waitress no longer
    uses this class.
    """

    uploads: Adjustments

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("Bad URI or number") from error
        if self.path.startswith(UPLOAD_PATHS):
            self.adj = self.uploads


class Stop:
    """Handles SIGTERM: accept no new connections, and exit once all requests are answered."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.deadline = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.deadline = self.deadline or time.monotonic() + STOP_WITHIN
        self.server.accepting = False
        connections = self.server.active_channels.values()
        is_busy = any(one.requests or one.total_outbufs_len for one in connections)
        if not is_busy or time.monotonic() > self.deadline:
            raise SystemExit
        signal.setitimer(signal.ITIMER_REAL, LOOK_AGAIN)  # SIGALRM: check again


def serve(application: Any, listener: socket.socket) -> None:
    """Answer requests on `listener` until SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the parent sends SIGTERM
    options = {
        "threads": int(os.environ.get("WEB_THREADS", "12")),
        "connection_limit": CONNECTIONS,
        "channel_timeout": SILENT_FOR,
        "cleanup_interval": 5,
        "max_request_header_size": 32 * 1024,
        "max_request_body_size": LARGEST_FORM,
        "asyncore_use_poll": True,  # select() is limited to 1,024 connections
        "log_socket_errors": False,  # people close pages; that is no error
        # The setting PROXIES says which of these to trust (conference/limits.py).
        "clear_untrusted_proxy_headers": False,
        "ident": None,
    }
    Parser.uploads = Adjustments(**options | {"max_request_body_size": LARGEST_UPLOAD})
    HTTPChannel.parser_class = Parser
    server = create_server(application, sockets=[listener], **options)
    stop = Stop(server)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGALRM, stop)
    server.run()


def main() -> None:
    """Start the processes, replace any that dies, and stop them on SIGTERM or Ctrl-C."""
    name = sys.argv[1] if len(sys.argv) > 1 else "conference.wsgi"
    application = without_body_for_head(import_module(name).application)
    _soft, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    address = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    listener = socket.create_server(address, backlog=1024)

    def start() -> int:
        process = os.fork()
        if process == 0:
            status = 1
            try:
                serve(application, listener)
                status = 0
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(status)  # the code below is for the parent only
        return process

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    processes = {start() for _ in range(int(os.environ.get("WEB_WORKERS", "2")))}
    try:
        while True:
            ended, status = os.wait()
            processes.remove(ended)
            print(f"A web process ended with status {status} and is replaced.", file=sys.stderr)
            time.sleep(1)
            processes.add(start())
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # One of them may have ended a moment ago, and nothing may keep the others from the signal.
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        for process in processes:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)


if __name__ == "__main__":
    main()
