"""Reading an answered page as a person and a browser read it."""

import re
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import tinyhtml5  # WeasyPrint's HTML parser
from django.http import HttpResponse


def page(response: HttpResponse | Any) -> Element:
    """The page's <html> element, as a browser would build it."""
    tree: Element = tinyhtml5.parse(response.content.decode(), namespace_html_elements=False)
    return tree


def words(element: Element | None) -> str:
    """An element's text with single spaces; nothing for no element."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def path_of(url: str) -> str:
    """The path of an address, as the test client takes it."""
    return urlsplit(url).path


def heading(response: HttpResponse | Any) -> str:
    """What the page's main heading says."""
    return words(page(response).find(".//h1"))


def notices(response: HttpResponse | Any) -> list[str]:
    """The short messages on top of a page, about what was just done."""
    return [words(n) for n in page(response).iterfind(".//*[@class]") if _is_message(n)]


def summary(response: HttpResponse | Any) -> list[str]:
    """The lines of the error summary, in their order."""
    box = page(response).find(".//*[@data-error-summary]")
    return [] if box is None else [words(line) for line in box.iterfind(".//li")]


def field_errors(response: HttpResponse | Any) -> dict[str, str]:
    """The error beside each field, by the field's name; only those a screen reader is told of."""
    tree = page(response)
    by_id = {element.get("id"): element for element in tree.iter() if element.get("id")}
    found = {}
    for control in tree.iter():
        ids = (control.get("aria-describedby") or "").split()
        error = next((by_id[i] for i in ids if i.endswith("_error") and i in by_id), None)
        if error is not None:
            named = control if control.get("name") else control.find(".//*[@name]")
            assert named is not None
            found[named.get("name", "")] = words(error)
    return found


def fields(response: HttpResponse | Any, action: str | None = None) -> dict[str, str]:
    """What a browser would send of the page's form if its last button were pressed untouched.

    `action` chooses the form by its action attribute or its id; without it the first that posts.
    """
    forms = [f for f in page(response).iter("form") if f.get("method") == "post"]
    form = next(f for f in forms if action in (None, f.get("action"), f.get("id")))
    sent: dict[str, str] = {}
    for control in form.iter():
        name = control.get("name")
        if not name or control.tag == "button" or control.get("type") == "submit":
            continue
        if control.tag == "select":
            sent[name] = _chosen(control)
        elif control.tag == "textarea":
            sent[name] = "".join(control.itertext()).removeprefix("\n")
        elif control.get("type") in ("checkbox", "radio"):
            if control.get("checked") is not None:
                sent[name] = control.get("value", "on")
        else:
            sent[name] = control.get("value", "")
    sent.pop("csrfmiddlewaretoken", None)
    return sent


def skeleton(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each element's name and the names of its attributes: all of a page but its texts and values.

    A page where somebody's text was taken for more than a text has another skeleton.
    """
    tree: Element = tinyhtml5.parse(html, namespace_html_elements=False)
    # A comment has no name.
    return [(str(e.tag), tuple(sorted(map(str, e.attrib)))) for e in tree.iter()]


def squeezed(html: str) -> str:
    """HTML without the white space that lies between elements."""
    return re.sub(r">\s+<", "><", html.strip())


def _chosen(select: Element) -> str:
    options = list(select.iter("option"))
    chosen = [option for option in options if option.get("selected") is not None] or options[:1]
    return chosen[0].get("value", "") if chosen else ""


def _is_message(element: Element) -> bool:
    classes = element.get("class", "").split()
    return element.get("role") == "status" and "notice" in classes
