"""List calls: filters, pages and their order (newest first)."""

from collections.abc import Callable
from itertools import islice

from sandbox.account import NOUNS, Account
from sandbox.errors import missing
from sandbox.expand import item_paths, rendered
from sandbox.objects import Row

Keep = Callable[[Row], bool]
_DEFAULT_LIMIT = 10
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def _within(second: int, span: Row) -> bool:
    """Whether a time lies in a filter of gt, gte, lt and lte."""
    return all(_COMPARE[name](second, bound) for name, bound in span.items())


def matches(row: Row, params: Row, *equal: str) -> bool:
    """Whether a row passes `created` and the filters named in `equal`, as far as they are given."""
    same = all(row[name] == params[name] for name in equal if name in params)
    return same and _within(row["created"], params.get("created", {}))


def page(account: Account, table: str, params: Row, url: str, keep: Keep) -> Row:
    """One page of a table's rows that `keep` lets through, rendered."""
    limit, after = params.get("limit", _DEFAULT_LIMIT), params.get("starting_after")
    if after and account.store.get(table, after) is None:
        raise missing(NOUNS[table], after, param="starting_after", status=400)
    rows = account.store.table(table).newest_first(after)
    found = list(islice(filter(keep, rows), limit + 1))
    paths = item_paths(params.get("expand", ()))
    return {
        "object": "list",
        "data": [rendered(account, row, paths) for row in found[:limit]],
        "has_more": len(found) > limit,
        "url": url,
    }
