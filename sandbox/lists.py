"""List calls: filters, pages and their order (newest first)."""

from collections.abc import Callable, Iterator
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


def _within(second: int, span: Row) -> bool:
    """Whether a time lies in a filter of gt, gte, lt and lte."""
    return all(_COMPARE[name](second, bound) for name, bound in span.items())


def matches(row: Row, params: Row, *equal: str) -> bool:
    """Whether a row passes `created` and the filters named in `equal`, as far as they are given."""
    same = all(row[name] == params[name] for name in equal if name in params)
    return same and _within(row["created"], params.get("created", {}))


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
