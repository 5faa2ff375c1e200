"""Disputes and early fraud warnings, which banks raise, and the answers to them.

Every function takes the account first and must run inside `store.change()`.
"""

from sandbox import money_objects
from sandbox.account import Account
from sandbox.errors import Refusal
from sandbox.objects import Row

FEE_PENCE = 2000
REASONS = ("fraudulent", "duplicate", "product_not_received", "unrecognized", "general")


def open_(account: Account, payment: str, reason: str = "fraudulent") -> Row:
    """The payer's bank takes back what was not refunded, and Stripe takes FEE_PENCE.

    `payment` is the id of a session, payment intent or charge.
    """
    charge = account.charge_of(payment)
    if charge["status"] != "succeeded" or charge["disputed"] or charge["refunded"]:
        raise Refusal("Only a payment that succeeded and is not refunded can be disputed, once.")
    if reason not in REASONS:
        raise Refusal(f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
    dispute = money_objects.dispute(charge, reason, account.now())
    booked = account.book(
        pence=-dispute["amount"],
        fee=FEE_PENCE,
        kind="adjustment",
        category="dispute",
        source=dispute["id"],
        description=f"Chargeback withdrawal for {charge['id']}",
    )
    charge = account.put("charges", charge, disputed=True)
    created = account.put("disputes", dispute)
    withdrawn = account.put("disputes", dispute, balance_transactions=[booked])
    account.event("charge.dispute.created", created)
    account.event("charge.dispute.funds_withdrawn", withdrawn)
    return withdrawn


def answer(account: Account, dispute_id: str) -> Row:
    """Evidence is submitted; the bank reviews it."""
    dispute = _waiting(account, dispute_id, ("needs_response",))
    details = dispute["evidence_details"] | {
        "has_evidence": True,
        "submission_count": 1,
        "submission_method": "manual",
    }
    changed = account.put("disputes", dispute, status="under_review", evidence_details=details)
    account.event("charge.dispute.updated", changed, previous={"status": dispute["status"]})
    return changed


def close(account: Account, dispute_id: str, *, won: bool) -> Row:
    """The bank decides. If won, the money comes back; the fee never does."""
    dispute = _waiting(account, dispute_id, ("needs_response", "under_review"))
    closed = {**dispute, "status": "won" if won else "lost"}
    if won:
        booked = account.book(
            pence=dispute["amount"],
            kind="adjustment",
            category="dispute_reversal",
            source=dispute["id"],
            description=f"Chargeback reversal for {dispute['charge']}",
        )
        closed["balance_transactions"] = [*dispute["balance_transactions"], booked]
        account.event("charge.dispute.funds_reinstated", closed)
    account.put("disputes", closed)
    account.event("charge.dispute.closed", closed)
    return closed


def _waiting(account: Account, dispute_id: str, states: tuple[str, ...]) -> Row:
    dispute = account.get("disputes", dispute_id, param="dispute")
    if dispute["status"] not in states:
        raise Refusal(f"This dispute is {dispute['status']}.")
    return dispute


def warn(account: Account, payment: str) -> Row:
    """The card's issuer suspects fraud; no money moves."""
    charge = account.charge_of(payment)
    if charge["status"] != "succeeded":
        raise Refusal("Only a payment that succeeded can be warned about.")
    warning = account.put("fraud_warnings", money_objects.fraud_warning(charge, account.now()))
    account.event("radar.early_fraud_warning.created", warning)
    return warning
