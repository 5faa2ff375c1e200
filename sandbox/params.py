"""Form-encoded parameters: read as Stripe reads them, then checked against a shape.

`line_items[0][price_data][currency]=gbp` becomes nested dictionaries. A shape names every
parameter that a call takes; whatever it does not name is refused, at any depth.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.errors import Refusal

Given = dict[str, Any]
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_INDEX = re.compile(r"[0-9]{1,4}\Z")
_WHOLE = re.compile(r"-?[0-9]{1,15}\Z")


def parse_form(text: str) -> Given:
    """Nested dictionaries of strings; array items get their index as key. Raises Refusal."""
    result: Given = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=2000, errors="strict")
    except ValueError as error:
        raise Refusal("Invalid request: the body could not be read as a form.") from error
    for key, value in pairs:
        match = _KEY.match(key)
        if match is None:
            raise unknown([key])
        _place(result, [match[1], *_PART.findall(match[2])], value, key)
    return result


def _place(target: Given, parts: list[str], value: str, key: str) -> None:
    for part in parts[:-1]:
        target = target.setdefault(part or str(len(target)), {})
        if not isinstance(target, dict):
            raise Refusal(f"Invalid object: {key} is given both as a value and as an object.")
    last = parts[-1] or str(len(target))
    if last in target and isinstance(target[last], dict):
        raise Refusal(f"Invalid object: {key} is given both as a value and as an object.")
    target[last] = value


def unknown(names: list[str]) -> Refusal:
    """Parameters that the call does not take; `names` are full paths.

    Stripe itself may take them: the second sentence of the message is not Stripe's.
    """
    word = "parameter" if len(names) == 1 else "parameters"
    return Refusal(
        f"Received unknown {word}: {', '.join(names)}. (sandbox/shapes.py names those that the "
        "local Stripe takes.)",
        code="parameter_unknown",
        param=names[0],
    )


def _under(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """What one parameter may be."""

    required: bool = False

    @abstractmethod
    def read(self, value: Any, path: str) -> Any:
        """The Python value of what `parse_form` gave for the parameter at `path`, or Refusal."""


def _text(value: Any, path: str) -> str:
    if isinstance(value, dict):
        raise Refusal(f"Invalid string: {path}", param=path)
    if value == "":
        raise Refusal(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset. You should remove '{path}' "
            "from your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=path,
        )
    return str(value)


@dataclass(frozen=True, kw_only=True)
class Text(Kind):
    """A string of at most `longest` characters, one of `choices` where there are any."""

    longest: int = 5000
    choices: tuple[str, ...] = ()

    def read(self, value: Any, path: str) -> str:
        text = _text(value, path)
        if len(text) > self.longest:
            raise Refusal(
                f"Invalid string: {text[:20]}...; must be at most {self.longest} characters",
                param=path,
            )
        if self.choices and text not in self.choices:
            raise Refusal(f"Invalid {path}: must be one of {', '.join(self.choices)}", param=path)
        return text


class Email(Text):
    """Text with an @ and a dot after it; nothing else is checked."""

    def read(self, value: Any, path: str) -> str:
        text = super().read(value, path)
        if not _EMAIL.match(text):
            raise Refusal(f"Invalid email address: {text}", code="email_invalid", param=path)
        return text


class Url(Text):
    """An http or https address with a host."""

    def read(self, value: Any, path: str) -> str:
        text = super().read(value, path)
        try:
            parts = urlsplit(text)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Refusal("Not a valid URL", code="url_invalid", param=path)
        return text


@dataclass(frozen=True, kw_only=True)
class Whole(Kind):
    """An integer between `least` and `most`."""

    least: int = -(10**12)
    most: int = 10**12

    def read(self, value: Any, path: str) -> int:
        text = _text(value, path)
        if not _WHOLE.match(text):
            raise Refusal(f"Invalid integer: {text}", code="parameter_invalid_integer", param=path)
        number = int(text)
        if number < self.least:
            word = "non-negative integer" if self.least == 0 else "positive integer"
            raise Refusal(f"Invalid {word}", code="parameter_invalid_integer", param=path)
        if number > self.most:
            raise Refusal(
                f"Invalid integer: must be at most {self.most}",
                code="parameter_invalid_integer",
                param=path,
            )
        return number


class Flag(Kind):
    """true or false."""

    def read(self, value: Any, path: str) -> bool:
        text = _text(value, path)
        if text not in ("true", "false"):
            raise Refusal(f"Invalid boolean: {text}", param=path)
        return text == "true"


class Metadata(Kind):
    """At most 50 keys of 40 characters with values of 500; an empty value unsets its key."""

    def read(self, value: Any, path: str) -> dict[str, str]:
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise Refusal(f"Invalid object: {path}", param=path)
        if len(value) > 50:
            raise Refusal("Metadata can have up to 50 keys.", param=path)
        for key, text in value.items():
            if not isinstance(text, str):
                raise Refusal(f"Invalid string: {_under(path, key)}", param=_under(path, key))
            if len(key) > 40:
                raise Refusal(
                    f"Metadata keys can have up to 40 characters: {key}", param=_under(path, key)
                )
            if len(text) > 500:
                raise Refusal(
                    f"Metadata values can have up to 500 characters, but you passed in a value "
                    f"that is {len(text)} characters. Invalid value: {text[:20]}...",
                    param=_under(path, key),
                )
        return {key: text for key, text in value.items() if text}


@dataclass(frozen=True, kw_only=True)
class Hash(Kind):
    """A nested object with its own shape."""

    shape: Mapping[str, Kind] = field(default_factory=dict)

    def read(self, value: Any, path: str) -> Given:
        if not isinstance(value, dict):
            raise Refusal(f"Invalid object: {path}", param=path)
        return check(self.shape, value, path)


@dataclass(frozen=True, kw_only=True)
class Array(Kind):
    """A list of at most `most` items of one kind."""

    of: Kind
    most: int = 100

    def read(self, value: Any, path: str) -> list[Any]:
        if not isinstance(value, dict) or not all(_INDEX.match(key) for key in value):
            raise Refusal(f"Invalid array: {path}", param=path)
        if len(value) > self.most:
            raise Refusal(
                f"Array {path} exceeded maximum {self.most} allowed elements.", param=path
            )
        ordered = sorted(value.items(), key=lambda item: int(item[0]))
        return [self.of.read(item, _under(path, key)) for key, item in ordered]


class Span(Kind):
    """A time filter: one second, or any of gt, gte, lt and lte. Read as a dictionary."""

    def read(self, value: Any, path: str) -> dict[str, int]:
        if not isinstance(value, dict):
            second = Whole().read(value, path)
            return {"gte": second, "lte": second}
        return check({name: Whole() for name in ("gt", "gte", "lt", "lte")}, value, path)


def check(shape: Mapping[str, Kind], given: Given, path: str = "") -> Given:
    """The parameters as Python values.

    Raises Refusal: for unknown parameters first, then for wrong, then for missing ones.
    """
    unnamed = [_under(path, name) for name in given if name not in shape]
    if unnamed:
        raise unknown(unnamed)
    values = {name: shape[name].read(value, _under(path, name)) for name, value in given.items()}
    for name, kind in shape.items():
        if kind.required and name not in values:
            whole = _under(path, name)
            raise Refusal(
                f"Missing required param: {whole}.", code="parameter_missing", param=whole
            )
    return values
