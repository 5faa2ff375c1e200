"""Payouts of the balance to the charity's bank account.

As at Stripe, the transactions listed for a payout begin with the payout's own, which is negative;
the others sum to the payout. Every function must run inside `store.change()`.
"""

from sandbox import money_objects
from sandbox.account import Account
from sandbox.errors import Refusal
from sandbox.objects import Row


def waiting(account: Account) -> list[Row]:
    """Balance transactions that no payout has taken yet, oldest first."""
    taken = account.store.table("payout_items").rows
    rows = account.store.table("balance_transactions").rows
    return [row for row in rows.values() if row["id"] not in taken]


def make(account: Account) -> Row:
    """Pay out the whole balance, pending transactions too. Raises Refusal unless it is positive."""
    items = waiting(account)
    pence = sum(item["net"] for item in items)
    if pence <= 0:
        raise Refusal("There is nothing to pay out.")
    payout = money_objects.payout(pence, account.now())
    booked = account.book(
        pence=-pence,
        kind="payout",
        category="payout",
        source=payout["id"],
        description="STRIPE PAYOUT",
    )
    for item in [*items, booked]:
        account.put("payout_items", {"id": item["id"], "payout": payout["id"]})
        account.put("balance_transactions", item, status="available")
    payout = account.put("payouts", payout, balance_transaction=booked["id"])
    account.event("payout.created", payout)
    payout = account.put("payouts", payout, status="paid")
    account.event("payout.paid", payout)
    payout = account.put("payouts", payout, reconciliation_status="completed")
    account.event("payout.reconciliation_completed", payout)
    return payout


def fail(account: Account, payout_id: str) -> Row:
    """The bank sends a payout back: the money is in the balance again."""
    payout = account.get("payouts", payout_id, param="payout")
    if payout["status"] != "paid":
        raise Refusal(f"This payout is {payout['status']}.")
    booked = account.book(
        pence=payout["amount"],
        kind="payout_failure",
        category="payout_reversal",
        source=payout["id"],
        description="PAYOUT FAILURE",
    )
    payout = account.put(
        "payouts",
        payout,
        status="failed",
        failure_code="account_closed",
        failure_message="The bank account has been closed.",
        failure_balance_transaction=booked["id"],
    )
    account.event("payout.failed", payout)
    return payout
