"""How many database statements an answer took, told in its Server-Timing header.

For the benchmarks, by SERVER_TIMING=1 in a trial.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse


def server_timing(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: browsers' developer tools and the benchmarks read the header."""

    def middleware(request: HttpRequest) -> HttpResponse:
        statements = 0

        def count(execute: Callable[..., Any], *args: Any) -> Any:
            nonlocal statements
            statements += 1
            return execute(*args)

        began = perf_counter()
        with connection.execute_wrapper(count):
            response = get_response(request)
        took = (perf_counter() - began) * 1000
        response["Server-Timing"] = f'sql;desc="{statements}", app;dur={took:.1f}'
        return response

    return middleware
