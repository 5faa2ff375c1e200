"""The web server: sizes of requests, a stop that lets them finish, processes that are replaced."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from deploy.serve import LARGEST_FORM, LARGEST_UPLOAD
from tests.running_site import running_site

Site = tuple[str, subprocess.Popen[bytes]]


@pytest.fixture
def site() -> Iterator[Site]:
    """The server around a small application; its address and its process."""
    with running_site({}, "tests.deploy.small_app") as running:
        yield running


def status_of(address: str, path: str, length: int, *, sends_body: bool) -> int:
    """How a request is answered; without its body, only one that is refused ever is."""
    host, _, port = address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    if sends_body:
        connection.send(b"x" * length)
    with closing(connection):
        return connection.getresponse().status


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/reserve/", LARGEST_FORM - 1, 200),
        ("/reserve/", LARGEST_FORM, 413),
        ("/administration/", LARGEST_FORM, 413),
        ("/admin/conference/1/", LARGEST_FORM, 200),
        ("/admin/conference/1/", LARGEST_UPLOAD, 413),
    ],
)
def test_bodies_are_refused_at_the_headers_but_for_staff_uploads(
    site: Site, path: str, length: int, status: int
) -> None:
    assert status_of(site[0], path, length, sends_body=status == 200) == status


@pytest.mark.parametrize(
    ("path", "megabytes", "status"), [("/x", 2, 413), ("/admin/x", 2, 200), ("/x", 0, 200)]
)
def test_bodies_without_a_length_are_refused_too(
    site: Site, path: str, megabytes: int, status: int
) -> None:
    host, _, port = site[0].removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        piece = b"x" * 64 * 1024
        try:
            for _ in range(megabytes * 16):
                line.sendall(b"10000\r\n" + piece + b"\r\n")
            line.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # refused in the middle
        assert line.recv(12) == f"HTTP/1.1 {status}".encode()


@pytest.mark.parametrize(
    "begins", ["GET http://[::1/ HTTP/1.1", f"GET / HTTP/1.1\r\nContent-Length: {'9' * 5000}"]
)
def test_what_waitress_stumbles_over_is_refused(site: Site, begins: str) -> None:
    host, _, port = site[0].removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(f"{begins}\r\nHost: x\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 400"


def test_head_is_answered_without_a_body(site: Site) -> None:
    """Else a proxy takes the body for the beginning of the next answer on the connection."""
    host, _, port = site[0].removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answered = b"".join(iter(lambda: line.recv(65536), b""))
    head, get, body = answered.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert get.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body.endswith(b" 0")


def unread(port: int) -> int:
    """How much was sent to a port of this machine that nobody has accepted or read yet."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # Of each row the second column is the address, the fifth what waits to go out and to be read.
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(f":{port:04X}"))


def test_stop_lets_all_requests_finish(site: Site) -> None:
    """More than there are threads for: those that wait for one are answered as well."""
    address, server = site
    host, _, port = address.removeprefix("http://").partition(":")
    with ExitStack() as lines:
        asked = [
            lines.enter_context(socket.create_connection((host, int(port)), timeout=60))
            for _ in range(24)
        ]
        for line in asked:
            line.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        while unread(int(port)):
            time.sleep(0.01)
        server.terminate()
        assert [line.recv(12) for line in asked] == [b"HTTP/1.1 200"] * 24
    assert server.wait(10) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)


def test_stop_does_not_wait_for_a_line_that_says_nothing(site: Site) -> None:
    address, server = site
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))):
        time.sleep(0.2)
        server.terminate()
        assert server.wait(5) == 0


def test_process_that_dies_is_replaced(site: Site) -> None:
    address, _server = site
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{address}/end", timeout=10)
    deadline = time.monotonic() + 20
    seen: set[str] = set()
    while len(seen) < 2 and time.monotonic() < deadline:
        with ThreadPoolExecutor(8) as people:
            answers = people.map(lambda _: requests.get(address, timeout=20).text, range(8))
            seen |= {answer.split()[0] for answer in answers}
    assert len(seen) == 2


def test_nothing_outlives_the_server(site: Site) -> None:
    address, server = site
    process = int(requests.get(address, timeout=10).text.split()[0])
    server.terminate()
    server.wait(10)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
