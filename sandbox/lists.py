"""List calls: filters, pages and their order (newest first)."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from sandbox.account import NOUNS, Account
from sandbox.errors import Refusal, missing
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


def within(second: int, span: Row) -> bool:
    """Whether a time lies in a filter of gt, gte, lt and lte."""
    return all(_COMPARE[name](second, bound) for name, bound in span.items())


def matches(row: Row, params: Row, equal: Iterable[str], spans: Iterable[str]) -> bool:
    """Whether a row passes the filters that were given."""
    return all(row[name] == params[name] for name in equal if name in params) and all(
        within(row[name], params[name]) for name in spans if name in params
    )


def page(account: Account, table: str, params: Row, url: str, keep: Keep) -> Row:
    """One page of a table's rows that `keep` lets through, rendered."""
    rows, more = _cut(account, table, params, keep)
    paths = item_paths(params.get("expand", ()))
    return {
        "object": "list",
        "data": [rendered(account, row, paths) for row in rows],
        "has_more": more,
        "url": url,
    }


def _cut(account: Account, table: str, params: Row, keep: Keep) -> tuple[list[Row], bool]:
    limit = params.get("limit", _DEFAULT_LIMIT)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise Refusal(
            "You cannot use `starting_after` and `ending_before` at the same time.",
            param="starting_after",
        )
    for name in ("starting_after", "ending_before"):
        cursor = params.get(name)
        if cursor and account.store.get(table, cursor) is None:
            raise missing(NOUNS[table], cursor, param=name, status=400)
    if before:
        rows = _newer(account, table, before)
        found = list(islice(filter(keep, rows), limit + 1))
        return found[:limit][::-1], len(found) > limit
    rows = account.store.table(table).newest_first(after)
    found = list(islice(filter(keep, rows), limit + 1))
    return found[:limit], len(found) > limit


def _newer(account: Account, table: str, cursor: str) -> Iterator[Row]:
    """Rows above the cursor, nearest first."""
    held = account.store.table(table)
    for identifier in islice(held.order, held.position[cursor] + 1, None):
        yield held.rows[identifier]


def of_items(items: list[Row], params: Row, url: str) -> Row:
    """One page of a session's line items, in their own order."""
    limit = params.get("limit", _DEFAULT_LIMIT)
    names = [item["id"] for item in items]
    start, stop = 0, len(items)
    try:
        if "starting_after" in params:
            start = names.index(params["starting_after"]) + 1
        if "ending_before" in params:
            stop = names.index(params["ending_before"])
            start = max(start, stop - limit)
    except ValueError:
        raise Refusal("No such line item.", code="resource_missing") from None
    more = stop - start > limit
    data = items[start : min(stop, start + limit)]
    return {"object": "list", "data": data, "has_more": more, "url": url}
