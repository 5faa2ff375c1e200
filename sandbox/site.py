"""Which page or action an address outside /v1 leads to."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode

from sandbox import board, control, hosted
from sandbox.errors import Refusal
from sandbox.html import Page, fill, page, redirect
from sandbox.machine import Machine

_STYLE = Path(__file__).with_name("style.css").read_text()


def answer(machine: Machine, method: str, path: str, query: str, body: str) -> Page:
    """The answer to a browser; `body` is the form that it posts."""
    parts = [part for part in path.split("/") if part]
    asked, form = _fields(query), _fields(body)
    match method, parts:
        case "GET", []:
            return board.home(machine)
        case "GET", ["control"]:
            return board.control(machine, asked.get("said", ""))
        case "GET", ["style.css"]:
            return Page(200, _STYLE, "text/css; charset=utf-8")
        case "GET", ["c", "pay", session_id]:
            return hosted.show(machine, session_id, declined="declined" in asked)
        case "POST", ["c", "pay", session_id, action]:
            return hosted.act(machine, session_id, action, form)
        case "POST", ["control", action] if action in control.ACTIONS:
            return _act(machine, action, form)
    nothing = fill("<h1>{text}</h1>", text="There is nothing at this address")
    return page("Not found", nothing, status=404, here="")


def _act(machine: Machine, action: str, form: dict[str, str]) -> Page:
    """Do it, and back to the control page, which says how it ended."""
    try:
        control.ACTIONS[action](machine, control.Fields(form))
        said = f"Done: {action.replace('-', ' ')}."
    except (Refusal, control.Unclear, ValueError) as error:
        said = str(error)
    return redirect("/control/?" + urlencode({"said": said}))


def _fields(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text).items()}
