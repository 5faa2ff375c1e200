"""A server between the service and its local Stripe, which changes what Stripe answers."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from sandbox.server import Sandbox

Change = Callable[[dict[str, Any]], None]


@contextmanager
def between(stripe: Sandbox, change: Change) -> Iterator[str]:
    """The address of a Stripe whose every answer went through `change`."""

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            behind = http.client.HTTPConnection(urlsplit(stripe.base_url).netloc, timeout=10)
            wanted = ("authorization", "content-type", "idempotency-key", "stripe-version")
            headers = {k: v for k, v in self.headers.items() if k.lower() in wanted}
            behind.request(self.command, self.path, self.rfile.read(length), headers)
            answer = behind.getresponse()
            told = json.loads(answer.read())
            behind.close()
            change(told)
            body = json.dumps(told).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _pass_on

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
