"""HTTP that costs little processor time, since the client shares the machine with the server.

`Browser` is one visitor with cookies and forms. `drive` keeps many connections busy from a single
thread.
"""

import re
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from requests import Session

HOST = "127.0.0.1"
# Browsers open new connections too, and each may reach another web process.
REQUESTS_A_CONNECTION = 25
PATIENCE = 40.0  # seconds; an answer that takes longer ends the bench
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SQL = re.compile(r'sql;desc="(\d+)"')
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Failed(Exception):
    """The service did not do what the bench is about; the message holds its answer."""


@dataclass(frozen=True)
class Answer:
    """A status, the status line and headers as they came, and the body."""

    status: int
    head: str
    body: bytes

    def header(self, name: str) -> str:
        """The header's value, or an empty text."""
        found = re.search(rf"\r\n{name}: ([^\r]*)", self.head, re.IGNORECASE)
        return found[1] if found else ""

    @property
    def sql(self) -> int:
        """How many database statements it took; 0 where the server does not tell."""
        found = _SQL.search(self.head)
        return int(found[1]) if found else 0


@dataclass
class Load:
    """What came of one or several rounds of load."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)  # seconds, for every answer
    sql: int = 0  # the most statements that one answer took
    errors: int = 0  # answers other than the wanted ones
    first_error: str = ""

    def add(self, other: "Load") -> None:
        """Add another round to this one."""
        self.seconds += other.seconds
        self.waits += other.waits
        self.sql = max(self.sql, other.sql)
        self.errors += other.errors
        self.first_error = self.first_error or other.first_error

    @property
    def per_s(self) -> float:
        return len(self.waits) / self.seconds

    def ms(self, percent: int) -> float:
        """The milliseconds within which this percentage of the answers came."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] * 1000


def request(
    method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of one HTTP request."""
    all_headers = {"Host": HOST, "Content-Length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def form_request(path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
    """The bytes of one form that is sent."""
    body = urlencode(fields).encode()
    return request("POST", path, body=body, headers=FORM | dict(headers))


class Browser:
    """One visitor: keeps cookies and the form token of the page seen last."""

    def __init__(self, port: int) -> None:
        self._site = f"http://{HOST}:{port}"
        self.session = Session()
        self.token = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that make a request of `drive` this visitor's."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)
        return {"Cookie": cookies, "X-CSRFToken": self.token}

    def get(self, path: str) -> str:
        """The page's text. Raises Failed for any status but 200."""
        answer = self.session.get(self._site + path, timeout=PATIENCE, allow_redirects=False)
        if answer.status_code != 200:
            raise Failed(f"GET {path}: {answer.status_code}")
        if found := _TOKEN.search(answer.text):
            self.token = found[1]
        return answer.text

    def post(self, path: str, fields: Mapping[str, str]) -> None:
        """Send a form. Raises Failed unless the answer leads to another page."""
        answer = self.session.post(
            self._site + path,
            data={"csrfmiddlewaretoken": self.token, **fields},
            timeout=PATIENCE,
            allow_redirects=False,
        )
        if not answer.is_redirect:
            raise Failed(f"POST {path}: {answer.status_code}\n{answer.text[:2000]}")

    def log_in(self, email: str) -> None:
        """Log in as one of the people of the sample data."""
        self.get("/login/")
        self.post("/login/", {"username": email, "password": "open-dialogue"})

    def download(self, path: str, piece: int) -> Iterator[bytes]:
        """Send the token seen last, and yield the file that comes in pieces of so many bytes.

        Raises Failed for any status but 200.
        """
        with self.session.post(
            self._site + path,
            data={"csrfmiddlewaretoken": self.token},
            headers={"Connection": "close"},
            timeout=PATIENCE,
            stream=True,
        ) as answer:
            if answer.status_code != 200:
                raise Failed(f"POST {path}: {answer.status_code}")
            yield from answer.iter_content(piece)

    def bytes_on_the_wire(self, path: str) -> int:
        """The size of headers and body as Chromium would ask for them."""
        encodings = {"Accept-Encoding": "gzip, deflate, br, zstd"}
        with self.session.get(
            self._site + path, headers=encodings, timeout=PATIENCE, stream=True
        ) as answer:
            if answer.status_code != 200:
                raise Failed(f"GET {path}: {answer.status_code}")
            headers = sum(len(f"{name}: {value}\r\n") for name, value in answer.headers.items())
            return headers + len(answer.raw.read(decode_content=False))


class _Connection:
    """One connection, with at most one request under way."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._selector = selector
        self._socket: socket.socket | None = None
        self._sent = 0

    def send(self, request: bytes) -> None:
        """Send a request, on a new connection now and then."""
        if self._sent == REQUESTS_A_CONNECTION:
            self.close()
        self._began = time.perf_counter()
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), timeout=PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
            self._sent = 0
        self._sent += 1
        self._received = b""
        self._socket.sendall(request)

    def read(self) -> tuple[Answer, float] | None:
        """The answer and the seconds it took, once it is whole. Raises Failed if it is cut off."""
        assert self._socket is not None
        piece = self._socket.recv(262144)
        if not piece:
            raise Failed(f"The server closed the connection: {self._received[:200]!r}")
        self._received += piece
        head, blank_line, body = self._received.partition(b"\r\n\r\n")
        if not blank_line:
            return None
        answer = Answer(int(head[9:12]), head.decode("latin-1"), body)
        if len(body) < int(answer.header("Content-Length") or 0):
            return None
        return answer, time.perf_counter() - self._began

    def close(self) -> None:
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def drive(
    port: int,
    requests: Iterator[bytes],
    *,
    at_once: int,
    seconds: float,
    is_right: Callable[[Answer], bool],
) -> Load:
    """Send requests over `at_once` connections for so many seconds, or until they run out.

    Each connection sends its next request when it has its answer. Answers for which `is_right`
    is false are counted as errors.
    """
    load = Load()
    began = time.perf_counter()

    def send_next(connection: _Connection) -> bool:
        if time.perf_counter() - began >= seconds:
            return False
        following = next(requests, None)
        if following is not None:
            connection.send(following)
        return following is not None

    with selectors.DefaultSelector() as selector:
        connections = [_Connection(port, selector) for _ in range(at_once)]
        under_way = sum(send_next(connection) for connection in connections)
        while under_way:
            ready = selector.select(PATIENCE)
            if not ready:
                raise Failed(f"No answer within {PATIENCE:.0f} s.")
            for key, _ in ready:
                done = key.data.read()
                if done is None:
                    continue
                answer, wait = done
                load.waits.append(wait)
                load.sql = max(load.sql, answer.sql)
                if not is_right(answer):
                    load.errors += 1
                    load.first_error = load.first_error or f"{answer.status} {answer.body[:300]!r}"
                under_way -= not send_next(key.data)
        load.seconds = time.perf_counter() - began
        for connection in connections:
            connection.close()
    return load
