"""HTTP with little of the processor, since client and server share the machine.

`Browser` walks through pages with cookies and forms; `drive` puts load on one address by as many
connections as wanted from a single thread, which never waits for anything but the network.
"""

import http.client
import re
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

HOST = "127.0.0.1"
# A browser does not keep one connection for ever; anew, it may get another worker.
REQUESTS_A_CONNECTION = 25
# An answer that takes longer ends the benchmark.
PATIENCE = 40.0  # seconds
_SQL = re.compile(rb'sql;desc="(\d+)"')
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Failed(Exception):
    """The server did not do what the benchmark is about; the message holds its answer."""


@dataclass(frozen=True)
class Answer:
    """A status, the head as it came, and the body."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The header's value, or nothing."""
        found = re.search(rb"\r\n%s: ([^\r]*)" % name.encode(), self.head, re.IGNORECASE)
        return found[1].decode() if found else ""

    @property
    def sql(self) -> int:
        """How many database statements it took; 0 where the server does not tell."""
        found = _SQL.search(self.head)
        return int(found[1]) if found else 0


@dataclass
class Load:
    """What came of some seconds of load; several rounds add up."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)  # seconds, of every answer
    errors: int = 0  # answers other than the ones wanted
    sql: int = 0  # the most that one answer took
    first_error: str = ""

    def add(self, other: "Load") -> None:
        """Count another round in."""
        self.seconds += other.seconds
        self.waits += other.waits
        self.errors += other.errors
        self.sql = max(self.sql, other.sql)
        self.first_error = self.first_error or other.first_error

    @property
    def per_s(self) -> float:
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def ms(self, percent: int) -> float:
        """The milliseconds within which so many of a hundred answers came."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] * 1000


def request(
    method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of one HTTP request."""
    given = {"Host": HOST, "Content-Length": str(len(body))} | dict(headers or {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def form(fields: Mapping[str, str]) -> bytes:
    """A form's fields as a request's body."""
    return urlencode(fields).encode()


class Browser:
    """One visitor: keeps cookies, follows no redirect, finds the token of a form."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
        self.cookies: dict[str, str] = {}
        self.token = ""

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def send(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of the answer. Raises Failed for a mistake of the server's."""
        given = {"Cookie": self.cookie} if self.cookies else {}
        self._connection.request(method, path, body, given | dict(headers or {}))
        answer = self._connection.getresponse()
        content = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := _TOKEN.search(content.decode("utf-8", "replace")):
            self.token = found[1]
        if answer.status >= 500:
            raise Failed(
                f"{method} {path}: {answer.status}\n{content[:500].decode(errors='replace')}"
            )
        return answer.status, answer.headers, content

    def get(self, path: str) -> bytes:
        """The page's content. Raises Failed for any status but 200."""
        status, headers, content = self.send("GET", path)
        if status != 200:
            raise Failed(f"GET {path}: {status} {headers.get('Location', '')}")
        return content

    def post(self, path: str, fields: Mapping[str, str]) -> str:
        """Send a form with the token of the page seen last; returns where it leads.

        Raises Failed where the form is shown again instead.
        """
        body = form({"csrfmiddlewaretoken": self.token} | dict(fields))
        status, headers, content = self.send(
            "POST", path, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        if status not in (302, 303):
            raise Failed(f"POST {path}: {status}\n{content[:2000].decode(errors='replace')}")
        return str(headers["Location"])


class _Line:
    """One connection, with one request under way at most."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._came = b""
        self._asked_at = 0.0
        self._sent = 0

    def ask(self, asked: bytes, selector: selectors.BaseSelector) -> None:
        """Send a request, on a new connection now and then."""
        if self._socket is None or self._sent >= REQUESTS_A_CONNECTION:
            self.close(selector)
        self._asked_at = time.perf_counter()
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), timeout=PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(self._socket, selectors.EVENT_READ, self)
            self._sent = 0
        self._sent += 1
        self._came = b""
        self._socket.sendall(asked)

    def read(self) -> tuple[Answer, float] | None:
        """The answer and how long it took, once it is whole. Raises Failed if the line is cut."""
        assert self._socket is not None
        piece = self._socket.recv(262144)
        if not piece:
            raise Failed(f"The server hung up: {self._came[:200]!r}")
        self._came += piece
        head, gap, body = self._came.partition(b"\r\n\r\n")
        if not gap:
            return None
        answer = Answer(int(head[9:12]), head, body)
        if len(body) < int(answer.header("Content-Length") or 0):
            return None
        return answer, time.perf_counter() - self._asked_at

    def close(self, selector: selectors.BaseSelector) -> None:
        if self._socket is not None:
            selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def drive(
    port: int,
    requests: Iterator[bytes],
    *,
    at_once: int,
    seconds: float,
    is_right: Callable[[Answer], bool],
    most: int = 1_000_000,
) -> Load:
    """Send requests by `at_once` connections for so many seconds, or until they run out.

    Each connection sends its next request when it has its answer. Answers that are not
    `is_right` count as errors. `most` bounds the number of requests.
    """
    load = Load()
    lines = [_Line(port) for _ in range(at_once)]
    under_way = asked = 0
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:

        def ask(line: _Line) -> int:
            nonlocal asked
            if asked >= most or time.perf_counter() - began >= seconds:
                return 0
            following = next(requests, None)
            if following is None:
                return 0
            asked += 1
            line.ask(following, selector)
            return 1

        for line in lines:
            under_way += ask(line)
        while under_way:
            ready = selector.select(PATIENCE)
            if not ready:
                raise Failed(f"No answer within {PATIENCE:.0f} s.")
            for key, _ in ready:
                line = key.data
                done = line.read()
                if done is None:
                    continue
                _count(load, *done, is_right)
                under_way += ask(line) - 1
        load.seconds = time.perf_counter() - began
        for line in lines:
            line.close(selector)
    return load


def _count(load: Load, answer: Answer, wait: float, is_right: Callable[[Answer], bool]) -> None:
    load.waits.append(wait)
    load.sql = max(load.sql, answer.sql)
    if not is_right(answer):
        load.errors += 1
        load.first_error = load.first_error or f"{answer.status} {answer.body[:300]!r}"
