"""Reports in the Server-Timing header how many database statements a response took.

For the benchmarks; switched on by SERVER_TIMING=1, in a trial only.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse


def server_timing(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that adds the header; browsers show it in their developer tools."""

    def middleware(request: HttpRequest) -> HttpResponse:
        statements = 0

        def count(execute: Callable[..., Any], *args: Any) -> Any:
            nonlocal statements
            statements += 1
            return execute(*args)

        with connection.execute_wrapper(count):
            response = get_response(request)
        response["Server-Timing"] = f'sql;desc="{statements}"'
        return response

    return middleware
