"""The public pages: how many a second, and what a first visit loads."""

import itertools
import re
from collections.abc import Iterator
from posixpath import dirname, normpath
from typing import Any

from bench.client import Browser, request
from bench.comparing import Contender, bare_page, figures, in_turn
from bench.stage import Stage

AT_ONCE = 8
# As Chromium asks.
_ENCODINGS = {"Accept-Encoding": "gzip, deflate, br, zstd"}
_TAG = re.compile(r"<(link|script|img|source)\b[^>]*>")
_ADDRESS = re.compile(r"""\b(?:src|href)="([^"]+)\"""")
_LOADED_LINK = re.compile(r'rel="(?:stylesheet|icon|preload|modulepreload|manifest)"')
_FROM_SCRIPT = re.compile(r"""(?:\bfrom|\bimport)\s*["']([^"']+)["']""")
_FROM_STYLE = re.compile(r"""url\(["']?([^"')]+)["']?\)""")
_NOT_BLOCKING = re.compile(r'\btype="module"|\bdefer\b|\basync\b')


def home(stage: Stage) -> Iterator[dict[str, Any]]:
    """The site's first page."""
    yield _page("home", stage, "/")


def conference(stage: Stage) -> Iterator[dict[str, Any]]:
    """The conference's page."""
    yield _page("conference", stage, "/{slug}/")


def reserve_form(stage: Stage) -> Iterator[dict[str, Any]]:
    """The empty reservation form."""
    yield _page("reserve_form", stage, "/{slug}/reserve/")


def _page(bench: str, stage: Stage, address: str) -> dict[str, Any]:
    site = stage.site()
    ((slug,),) = site.rows("SELECT slug FROM conference_conference")
    path = address.format(slug=slug)
    with site.web():
        wire, blocking = _first_visit(Browser(site.port), path)
        asked = itertools.repeat(request("GET", path))
        ours = Contender(site.port, asked, lambda answer: answer.status == 200)
        bare = bare_page(stage)
        in_turn([ours, bare], at_once=AT_ONCE)
    line = figures(bench, stage, AT_ONCE, ours.load, bare.load)
    return line | {"wire_kb": round(wire / 1000, 1), "blocking_scripts": blocking}


def _first_visit(visitor: Browser, path: str) -> tuple[int, int]:
    """What a browser with nothing in its cache loads: bytes on the wire, and scripts that block."""
    text = visitor.get(path).decode()
    tags = [match[0] for match in _TAG.finditer(text)]
    blocking = sum(tag.startswith("<script") and not _NOT_BLOCKING.search(tag) for tag in tags)
    waiting = [
        found[1]
        for tag in tags
        if (found := _ADDRESS.search(tag))
        and (not tag.startswith("<link") or _LOADED_LINK.search(tag))
    ]
    wire, seen = _wire_size(visitor, path), set()
    while waiting:
        address = waiting.pop()
        if address in seen or address.startswith("data:"):
            continue
        seen.add(address)
        wire += _wire_size(visitor, address)
        if address.endswith((".js", ".css")):
            content = visitor.get(address).decode()
            pattern = _FROM_SCRIPT if address.endswith(".js") else _FROM_STYLE
            waiting += [_joined(address, other) for other in pattern.findall(content)]
    return wire, blocking


def _wire_size(visitor: Browser, path: str) -> int:
    """The bytes of head and body as they come."""
    status, headers, body = visitor.send("GET", path, headers=_ENCODINGS)
    assert status == 200, (status, path)
    return len(bytes(headers)) + len(body)


def _joined(address: str, other: str) -> str:
    if other.startswith(("/", "data:", "#")):
        return other if not other.startswith("#") else "data:"
    return normpath(f"{dirname(address)}/{other}")
