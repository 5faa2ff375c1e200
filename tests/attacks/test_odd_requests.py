"""Requests that no browser sends: each has its answer, none is a fault, and the log stays short."""

import re
import socket
from contextlib import suppress

import pytest

from tests.factories import make_conference
from tests.running_site import running_site

FORM = "Content-Type: application/x-www-form-urlencoded"
UPLOAD = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\na\r\n--x--\r\n'
CHUNKED = "Transfer-Encoding: chunked"
SECOND = b"GET /second HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
# A time stamp, a level, who says it, and what: never a traceback, never the end of another line.
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:+]{13} (INFO|WARNING|ERROR) [\w.]+ [^\x00-\x1f]{1,1001}")


def ask(
    path: str | bytes = "/",
    *headers: str,
    method: str = "GET",
    host: str | None = "127.0.0.1",
    version: str = "HTTP/1.1",
    body: bytes = b"",
) -> bytes:
    """A request as it goes over the line; characters above ÿ cannot be in one."""
    address = path if isinstance(path, bytes) else path.encode("latin-1")
    lines = [method.encode() + b" " + address + b" " + version.encode()]
    lines += [f"Host: {host}".encode("latin-1")] if host is not None else []
    lines += [header.encode("latin-1") for header in ("Connection: close", *headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def post(*headers: str, body: bytes, version: str = "HTTP/1.1") -> bytes:
    return ask("/bulletin/", *headers, method="POST", body=body, version=version)


def upload(kind: str, body: bytes = UPLOAD) -> bytes:
    return post(f"Content-Type: {kind}", f"Content-Length: {len(body)}", body=body)


def length(text: str) -> bytes:
    return post(FORM, f"Content-Length: {text}", body=b"a=b")


def chunks(body: bytes) -> bytes:
    return post(FORM, CHUNKED, body=body)


# What is sent, and the status of the answer; 0 where the line is closed without one.
HOSTS = {
    "another's name": (ask(host="evil.example"), 400),
    "another's name, by HEAD": (ask(host="evil.example", method="HEAD"), 400),
    "a very long name": (ask(host="a" * 30_000), 400),
    "no name": (ask(host=""), 400),
    "none at all": (ask(host=None), 400),
    "none at all, in HTTP/1.0": (ask(host=None, version="HTTP/1.0"), 400),
    "two": (ask("/", "Host: evil.example"), 400),
    "beyond ASCII": (ask(host="münchen"), 400),
    "a user before it": (ask(host="127.0.0.1@evil.example"), 400),
    "an address for another host": (ask("http://evil.example/"), 200),
    "an address that cannot be read": (ask("http://[::1/"), 400),
    "another one": (ask("http://[zz]/"), 400),
    "an address for a proxy": (ask("evil.example:443", method="CONNECT"), 404),
    "two slashes": (ask("//evil.example/%2e%2e"), 404),
}
ADDRESSES = {
    "a long path": (ask("/" + "a" * 30_000), 400),
    "a longer path": (ask("/" + "a" * 40_000), 431),
    "a long query": (ask("/?a=" + "b" * 30_000), 200),
    "600 parameters": (ask("/orders/?" + "a&" * 600), 200),
    "600 parameters, where one is read": (ask("/login/?" + "a&" * 600), 400),
    "no address": (ask("nonsense"), 404),
    "an asterisk": (ask("*", method="OPTIONS"), 404),
    "bad percents": (ask("/%zz%/?a=%zz%&%=%"), 404),
    "bad UTF-8, encoded": (ask("/%ff%fe/?a=%ff"), 404),
    "bad UTF-8, as it is": (ask(b"/\xff\xfe/"), 400),
    "bad UTF-8 in the query": (ask(b"/?a=\xff\xfe"), 400),
    "half a character of UTF-16": (ask("/%ed%a0%80/?%ed%a0%80"), 404),
    "dots in more bytes than needed": (ask("/static/%c0%ae%c0%ae/%c0%af"), 404),
    "a zero byte": (ask("/a%00b/"), 404),
    "a zero byte in the query": (ask("/?a=%00"), 400),
    "a zero byte of an upload": (ask("/media/a%00b"), 404),
    "a zero byte of a static file": (ask("/static/%00"), 404),
    "a line break": (ask("/a%0d%0a2026-01-01%2000:00:00,000%20ERROR%20x%20forged/"), 404),
    "a line break where a slash is added": (ask("/privacy%0d%0aSet-Cookie:a=b"), 404),
    "an escape sequence": (ask("/%1b[2J/"), 404),
    "the way up": (ask("/static/../conference/settings.py"), 404),
    "the way up, encoded": (ask("/static/%2e%2e/%2e%2e/conference/settings.py"), 404),
    "the way up from uploads": (ask("/media/..%2fdb.sqlite3"), 404),
    "the list of static files": (ask("/static/staticfiles.json"), 404),
}
HEADERS = {
    "10,000": (ask("/", *(f"A{n}: b" for n in range(10_000))), 431),
    "2,000": (ask("/", *(f"A{n}: b" for n in range(2_000))), 200),
    "a control character": (ask("/", "X-A: a\x01b"), 400),
    "a zero byte": (ask("/", "X-A: a\x00b"), 400),
    "half a line break": (ask("/", "X-A: a\nX-B: b"), 400),
    "the other half": (ask("/", "X-A: a\rX-B: b"), 400),
    "no colon": (ask("/", "nonsense"), 400),
    "a space before the colon": (ask("/", "X-A : b"), 400),
    "beyond ASCII": (ask("/", "User-Agent: \xff", "Referer: \xff", "Accept-Language: \xff"), 200),
    "cookies beyond ASCII": (ask("/login/", "Cookie: \xff\xfe=\xff; sessionid=\xff"), 200),
    "a zero byte in a cookie": (ask("/desk/", r'Cookie: sessionid="\000a"'), 302),
    "a zero byte in a message": (ask("/orders/", r'Cookie: messages="\000\377"'), 200),
    "a forged message": (ask("/orders/", "Cookie: messages=a:b:c"), 200),
    "3,000 cookies": (ask("/orders/", "Cookie: " + "a=b;" * 3_000), 200),
    "dates that are none": (ask("/", "If-Modified-Since: Sun, 99 Zzz 0000 99:99:99 GMT"), 200),
    "tags without an end": (ask("/", "If-None-Match: " + 'W/"' * 3_000), 200),
    "a range backwards": (ask("/static/conference/icon.svg", "Range: bytes=9-1"), 416),
    "a range that is none": (ask("/static/conference/icon.svg", "Range: bytes=²-x"), 200),
    "a range of 5,000 digits": (
        ask("/static/conference/icon.svg", f"Range: bytes={'9' * 5_000}-"),
        200,
    ),
    "an origin that cannot be read": (
        post(FORM, "Origin: http://[::1", "Content-Length: 3", body=b"a=b"),
        403,
    ),
}
BODIES = {
    "a length with a plus": (length("+3"), 400),
    "a length with an underscore": (length("1_0"), 400),
    "a length in hexadecimal": (length("0x3"), 400),
    "a length below nothing": (length("-3"), 400),
    "an exponent": (length("²"), 400),
    "no length": (length(""), 400),
    "two lengths": (length("3\r\nContent-Length: 4"), 400),
    "a length of 30 digits": (length("9" * 30), 413),
    "a length of 5,000 digits": (length("9" * 5_000), 400),
    "less than was said": (length("30"), 0),
    "a length and chunks": (
        post(FORM, "Content-Length: 3", CHUNKED, body=b"0\r\n\r\n" + SECOND),
        403,
    ),
    "another coding": (post(FORM, "Transfer-Encoding: gzip", body=b"0\r\n\r\n"), 501),
    "chunks, and then another": (post(FORM, f"{CHUNKED}, identity", body=b"0\r\n\r\n"), 501),
    "a tab of another kind": (post(FORM, "Transfer-Encoding: \x0bchunked", body=b""), 400),
    "a space before the colon": (post(FORM, "Transfer-Encoding : chunked", body=b""), 400),
    "a chunk of 2,000 digits": (chunks(b"f" * 2_000 + b"\r\nabc"), 0),
    "a chunk whose size never ends": (chunks(b"f" * 200_000), 0),
    "a chunk with a plus": (chunks(b"+3\r\na=b\r\n0\r\n\r\n"), 400),
    "a chunk below nothing": (chunks(b"-3\r\na=b\r\n0\r\n\r\n"), 400),
    "a chunk in Python's hexadecimal": (chunks(b"0x3\r\na=b\r\n0\r\n\r\n"), 400),
    "a chunk that goes on": (chunks(b"3\r\na=bXX\r\n0\r\n\r\n"), 400),
    "a line break in a chunk's note": (chunks(b"3;a\nb\r\na=b\r\n0\r\n\r\n"), 400),
    "a second request behind the chunks": (chunks(b"0\r\n\r\n" + SECOND), 403),
    "chunks in HTTP/1.0": (post(FORM, CHUNKED, body=b"0\r\n\r\n", version="HTTP/1.0"), 403),
    "an upload without a boundary": (upload("multipart/form-data"), 400),
    "a boundary beyond ASCII": (upload("multipart/form-data; boundary=\xff"), 400),
    "a form in no encoding": (upload("multipart/form-data; boundary=x; charset=hex"), 403),
    "a form in no text": (upload("multipart/form-data; boundary=x; charset=undefined"), 403),
    "a form in a coded encoding": (
        upload("multipart/form-data; boundary=x; charset*=hex''%f"),
        403,
    ),
    "a name in a coded encoding": (
        upload(
            "multipart/form-data; boundary=x", UPLOAD.replace(b'name="email"', b"name*=hex''%f")
        ),
        403,
    ),
    "a page asked for in no encoding": (ask("/?a=b", "Content-Type: a/b; charset=hex"), 200),
    "600 parameters in UTF-8": (ask("/?" + "a&" * 600, "Content-Type: a/b; charset=utf-8"), 200),
    "a webhook that is no text": (
        ask(
            "/stripe/webhook/",
            "Stripe-Signature: \xff",
            "Content-Length: 2",
            method="POST",
            body=b"\xff\xfe",
        ),
        400,
    ),
}
LANGUAGES = {
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/9.9": (ask(version="HTTP/9.9"), 200),
    "the beginning of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "the beginning of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "all bytes": (bytes(range(256)) + b"\r\n\r\n", 400),
    "nothing": (b"\r\n\r\n", 0),
    "a method of our own": (ask(method="BREW"), 403),
    "a method in small letters": (ask(method="get"), 400),
    "a method without an end": (ask(method="A" * 20_000), 403),
    "a method that shows what was sent": (ask(method="TRACE"), 405),
}
ODD = {
    f"{group}: {name}": case
    for group, cases in (
        ("host", HOSTS),
        ("address", ADDRESSES),
        ("header", HEADERS),
        ("body", BODIES),
        ("language", LANGUAGES),
    )
    for name, case in cases.items()
}


def answers_to(request: bytes, port: int) -> bytes:
    """All that comes back until the line is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        with suppress(OSError):  # it may be refused before it is complete
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
        got = b""
        with suppress(ConnectionResetError):
            while more := line.recv(65536):
                got += more
        return got


@pytest.mark.django_db(transaction=True)
def test_every_odd_request_has_its_answer_and_leaves_a_short_line(
    process_env: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    make_conference()
    with running_site(process_env) as (address, _server):
        port = int(address.rpartition(":")[2])
        capfd.readouterr()
        answers = {name: answers_to(request, port) for name, (request, _) in ODD.items()}
    lines = capfd.readouterr().err.splitlines()

    assert {name: status(answer) for name, answer in answers.items()} == {
        name: expected for name, (_, expected) in ODD.items()
    }
    assert answers["host: another's name, by HEAD"].count(b"\r\n\r\n") == 1
    # One request, one answer; what names no product and tells nothing of what is inside.
    assert {name for name, answer in answers.items() if len(starts(answer)) > 1} == set()
    told = b"\n".join(answers.values())
    assert not re.search(rb"(?i)^server:|waitress|python|django|traceback|evil\.example", told)
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert len(lines) < 1.5 * len(ODD)


def starts(answer: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.[01] (\d{3})", answer)


def status(answer: bytes) -> int:
    return int(starts(answer)[0]) if answer else 0
