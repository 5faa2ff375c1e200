"""The public pages: how many a second, and the bytes of a first visit."""

import itertools
import re
from posixpath import dirname, join, normpath
from typing import Any

from bench.client import Browser, request
from bench.comparing import Contender, bare_page, figures, in_turn
from bench.stage import Stage

# What a browser loads by itself: in pages, in style sheets, in scripts.
_LOADING_TAG = re.compile(
    r'<(?:script|img|source|link(?=[^>]*rel="(?:stylesheet|icon|preload|modulepreload|manifest)"))'
    r'\b[^>]*?\b(?:src|href)="([^"]+)"'
)
_IN_STYLE_SHEET = re.compile(r"""url\(["']?([^"')]+)["']?\)""")
_IN_SCRIPT = re.compile(r"""\b(?:from|import)\s*["']([^"']+)["']""")


def home(stage: Stage) -> dict[str, Any]:
    """The site's first page."""
    return _page(stage, "/")


def conference(stage: Stage) -> dict[str, Any]:
    """The conference's page."""
    return _page(stage, "/{slug}/")


def reserve_form(stage: Stage) -> dict[str, Any]:
    """The empty reservation form."""
    return _page(stage, "/{slug}/reserve/")


def _page(stage: Stage, address: str) -> dict[str, Any]:
    site = stage.site()
    path = address.format(slug=site.slug)
    with site.web():
        wire = _first_visit(Browser(site.port), path)
        asked = itertools.repeat(request("GET", path))
        ours = Contender(site.port, asked, lambda answer: answer.status == 200)
        bare = bare_page(stage)
        in_turn(ours, bare)
    return figures(ours.load, bare.load) | {"wire_kb": round(wire / 1000, 1)}


def _first_visit(visitor: Browser, page: str) -> int:
    """The bytes on the wire of a page and all that it loads, with nothing in the cache."""
    wire = visitor.bytes_on_the_wire(page)
    waiting = _LOADING_TAG.findall(visitor.get(page))
    seen: set[str] = set()
    while waiting:
        address = waiting.pop()
        if address in seen or address.startswith(("data:", "#")):
            continue
        seen.add(address)
        wire += visitor.bytes_on_the_wire(address)
        if address.endswith((".css", ".js")):
            pattern = _IN_STYLE_SHEET if address.endswith(".css") else _IN_SCRIPT
            further = pattern.findall(visitor.get(address))
            waiting += [
                one if one.startswith(("data:", "#")) else normpath(join(dirname(address), one))
                for one in further
            ]
    return wire
