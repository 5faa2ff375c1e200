"""Pages that say the same to everybody, rendered once for what they are made from.

Drawing a page takes several times as long as reading its rows. So its text is kept under a digest
of all that went into it: the rows with every field, the words, the arguments of its forms. A row
that changes makes another page, so no process can show what another one, or the database, no
longer says, and nothing ever needs to be thrown away but for room. What differs from visitor to
visitor, such as a form's token, is filled into holes afterwards.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from threading import Lock
from typing import Any

from django.contrib.messages import get_messages
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import get_language

# A page takes some 15 kB. There are few at a time; old ones go first.
MOST_PAGES = 100
# Nobody can guess it, so nobody can write a hole into a name or a programme.
_MARK = secrets.token_hex(12)

_kept: dict[str, str] = {}
_changing = Lock()


def hole(name: str) -> str:
    """What stands in a page for a value that `render` gets anew each time in `fill`."""
    return f"hole-{name}-{_MARK}"


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    fill: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The page, kept from an earlier request where all that it shows is the same.

    The template may show what is in `context` and nothing else: not the visitor, not the time,
    no rows that it fetches by itself. A form is given as a `partial` that makes it. `fill` holds
    a value for each `hole`; the token of forms is filled in by itself. Raises TypeError for
    anything in the context whose content cannot be told.
    """
    fill = fill or {}
    if len(get_messages(request)):
        # Said once, to this visitor: with the page as it is for nobody else.
        text = _filled(_drawn(template, context, request), fill, request)
        return HttpResponse(text)
    digest = _digest((template, get_language(), context))
    text = _kept.get(digest) or _keep(digest, _drawn(template, context, request))
    return HttpResponse(_filled(text, fill, request))


def _drawn(template: str, context: Mapping[str, Any], request: HttpRequest) -> str:
    whole = {name: v() if isinstance(v, partial) else v for name, v in context.items()}
    return render_to_string(template, whole | {"csrf_token": hole("token")}, request)


def _keep(digest: str, text: str) -> str:
    with _changing:
        _kept[digest] = text
        while len(_kept) > MOST_PAGES:
            del _kept[next(iter(_kept))]
    return text


def _filled(text: str, fill: Mapping[str, str], request: HttpRequest) -> str:
    for name, value in fill.items():
        text = text.replace(hole(name), escape(value))
    token = hole("token")
    # Only a page with a form sets the cookie.
    return text.replace(token, get_token(request)) if token in text else text


def _digest(value: object) -> str:
    return hashlib.sha256(repr(_content(value)).encode()).hexdigest()


def _content(value: object) -> object:
    """The value as nested plain values, whose `repr` tells everything."""
    if value is None or isinstance(value, str | int | float | Decimal | date):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, FieldFile):
        return value.name
    if isinstance(value, Model):
        read = vars(value)
        names = (field.attname for field in value._meta.concrete_fields)
        return value._meta.label, [_content(read[name]) for name in names if name in read]
    if isinstance(value, partial):
        return value.func.__qualname__, _content(value.args), _content(value.keywords)
    if isinstance(value, Mapping):
        return [(name, _content(part)) for name, part in value.items()]
    if isinstance(value, list | tuple):
        return [_content(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return type(value).__qualname__, _content(vars(value))
    raise TypeError(f"A kept page cannot tell what is in a {type(value).__qualname__}.")
