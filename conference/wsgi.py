"""WSGI entry point: `python -m deploy.serve` loads `application` from here."""

import os
import re
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

_UTF8 = re.compile(r';\s*charset\s*=\s*"?utf-8"?', re.IGNORECASE)
_PLAIN = re.compile(r"[^;*]*(;\s*boundary=[^;*]+)?;?", re.IGNORECASE)
LONGEST_KIND = 300  # characters; a browser's longest has about a hundred


def in_utf8(application: Any) -> Any:
    """Wrap Django so that it reads every request as UTF-8, and no body in another encoding.

    Django applies a charset while it makes its request object, where no handler of ours catches
    what goes wrong: with charset=hex, or with too many parameters in the address.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = environ.get("CONTENT_TYPE", "")
        # The length first: a regular expression may take long over a long text.
        kind = _UTF8.sub("", given).strip() if len(given) <= LONGEST_KIND else "*"
        environ["CONTENT_TYPE"] = kind if _PLAIN.fullmatch(kind) else ""
        return application(environ, start_response)

    return answer


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conference.settings")
application = in_utf8(get_wsgi_application())
# Import all views before the web processes are forked, not at their first request.
get_resolver().url_patterns  # noqa: B018
