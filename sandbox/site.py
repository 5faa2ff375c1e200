"""Which page or action an address outside /v1 leads to."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from sandbox import board, control, hosted
from sandbox.errors import Refusal
from sandbox.html import Page, page, redirect
from sandbox.html import fill as fill_html
from sandbox.machine import Machine

_STYLE = Path(__file__).with_name("style.css").read_text()


def answer(machine: Machine, method: str, path: str, query: str, body: str, kind: str) -> Page:
    """The answer to a browser or to a test. `kind` is the request's content type."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["c", "pay"] and len(parts) == (3 if method == "GET" else 4):
        if method == "GET":
            return hosted.show(machine, parts[2], declined="declined" in parse_qs(query))
        return hosted.act(machine, parts[2], parts[3], _form(body))
    if method == "POST" and len(parts) == 2 and parts[0] == "control":
        return _act(machine, parts[1], body, is_json=kind.startswith("application/json"))
    if method == "GET":
        return _get(machine, path, query)
    return _nothing()


def _get(machine: Machine, path: str, query: str) -> Page:
    if path == "/":
        return board.home(machine)
    if path == "/control/":
        return board.control(machine, parse_qs(query).get("said", [None])[0])
    if path == "/control/events":
        return _json(control.events(machine))
    if path == "/control/state":
        return _json(control.state(machine))
    if path == "/healthz":
        return _json({"status": "ok"})
    if path == "/style.css":
        return Page(200, _STYLE, "text/css; charset=utf-8")
    return _nothing()


def _act(machine: Machine, name: str, body: str, *, is_json: bool) -> Page:
    action = control.ACTIONS.get(name)
    if action is None:
        return _nothing()
    try:
        given = json.loads(body or "{}") if is_json else _form(body)
        if not isinstance(given, dict):
            raise control.Unclear("Send a JSON object.")
        result = action(machine, control.Fields(given))
    except (Refusal, control.Unclear, ValueError) as error:
        if is_json:
            return _json({"error": str(error)}, status=400)
        return _back(str(error))
    if is_json:
        return _json({"result": result})
    return _back(f"Done: {name.replace('-', ' ')}.")


def _back(said: str) -> Page:
    return redirect("/control/?" + urlencode({"said": said}))


def _form(body: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(body).items()}


def _json(value: object, status: int = 200) -> Page:
    return Page(status, json.dumps(value), "application/json")


def _nothing() -> Page:
    body = fill_html("<h1>{text}</h1>", text="There is nothing at this address")
    return page("Not found", body, status=404, here="")
