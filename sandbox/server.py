"""The local Stripe over HTTP.

with start(webhook_url=None, webhook_secret="whsec_local") as sandbox:
    client = StripeClient("sk_test_local", base_addresses={"api": sandbox.base_url})
"""

import socket
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox import site
from sandbox.api import Cut, Request
from sandbox.courier import RETRY_SECONDS
from sandbox.html import Page
from sandbox.machine import Machine

_MOST_BYTES = 1024 * 1024
_POLL_SECONDS = 0.02  # how often the server looks whether it is to stop


class _Server(ThreadingHTTPServer):
    """A thread for each connection. `cut_all` closes those that clients keep open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    machine: Machine

    def __init__(self, address: tuple[str, int]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Report the error, unless the client has merely gone away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def cut_all(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was already gone


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept open for many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered, so that head and body are sent together
    server: _Server

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def _respond(self) -> None:
        body = self._body()
        if body is None:
            self._send(Page(413, "The request is too large.", "text/plain"))
            return
        path, _, query = self.path.partition("?")
        machine = self.server.machine
        if path.startswith("/v1/") or path == "/v1":
            headers = {name.lower(): value for name, value in self.headers.items()}
            form = body if self.command == "POST" else query
            try:
                answer = machine.api.answer(Request(self.command, path, form, headers))
            except Cut:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(Page(answer.status, answer.text, "application/json", answer.headers))
            return
        self._send(site.answer(machine, self.command, path, query, body))

    def _body(self) -> str | None:
        """The request's body; None if it is too long or of unknown length."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            self.close_connection = True
            return None
        return self.rfile.read(int(length)).decode("utf-8", "replace")

    def _send(self, page: Page) -> None:
        body = page.body.encode()
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in page.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: `Machine.calls` keeps the calls."""


def _is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Sandbox(Machine):
    """A running local Stripe: `base_url`, and everything that Machine can do."""

    def __init__(self, *, host: str, port: int, **given: Any) -> None:
        """`given` is what Machine takes."""
        if not _is_loopback(host):
            raise ValueError(
                f"The local Stripe listens on loopback addresses only, not on '{host}'."
            )
        self._server = _Server((host, port))
        self.port: int = self._server.server_address[1]
        try:
            super().__init__(base_url=f"http://{host}:{self.port}", **given)
        except BaseException:
            self._server.server_close()
            raise
        self._server.machine = self
        self._serving = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="http", daemon=True
        )
        self.switch_on()
        self._serving.start()

    def stop(self) -> None:
        """End everything within a second; the port is free and the state file is closed."""
        self._server.shutdown()
        self._server.server_close()
        self._server.cut_all()
        self.switch_off()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    state_file: Path | None = None,
    webhook_url: str | None,
    webhook_secret: str,
    retry_seconds: Sequence[float] = RETRY_SECONDS,
) -> Sandbox:
    """Start a local Stripe in threads of this process.

    `port` 0 takes a free one. Without `state_file` everything is forgotten at the end.
    `webhook_url` None: no webhooks. `retry_seconds` are the waits before each retry of a
    webhook. Raises OSError where the port is taken, `store.StateInUse` where the file is, and
    ValueError for a `host` that other machines could reach or a `webhook_url` that is not http.
    """
    return Sandbox(
        host=host,
        port=port,
        state_file=state_file,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        retry_seconds=retry_seconds,
    )
