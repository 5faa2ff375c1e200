"""Refunds: made, arrived, or sent back by the payer's bank.

Every function takes the account first and must run inside `store.change()`.
"""

from sandbox import money_objects
from sandbox.account import Account
from sandbox.errors import Refusal, missing
from sandbox.events import NOBODY, Cause
from sandbox.objects import Row, pounds


def create(account: Account, params: Row, cause: Cause = NOBODY) -> Row:
    """Refund `amount` pence, or what is left, of a `charge` or `payment_intent`.

    A card's refund has succeeded at once; one to a bank account stays pending until `settle`.
    Raises Refusal for too much, a disputed charge, or nothing to refund.
    """
    charge = _charge(account, params)
    pence = _refundable(charge, params.get("amount"))
    status = "succeeded" if charge["id"].startswith("ch_") else "pending"
    refund = money_objects.refund(charge, pence, params, status, account.now())
    booked = account.book(
        pence=-pence,
        kind="refund" if charge["id"].startswith("ch_") else "payment_refund",
        category="refund",
        source=refund["id"],
        description=f"REFUND FOR CHARGE ({charge['description'] or charge['id']})",
    )
    refund = account.put("refunds", refund, balance_transaction=booked["id"])
    _give_back(account, charge, pence, cause)
    account.event("refund.created", refund, cause)
    return refund


def _charge(account: Account, params: Row) -> Row:
    if "charge" in params and "payment_intent" in params:
        raise Refusal(
            "You may only specify one of these parameters: charge, payment_intent.",
            code="parameters_exclusive",
            param="charge",
        )
    if "charge" in params:
        return account.get("charges", params["charge"], param="charge")
    if "payment_intent" not in params:
        raise Refusal(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    identifier = params["payment_intent"]
    intent = account.store.get("payment_intents", identifier)
    if intent is None:
        raise missing("payment_intent", identifier, param="payment_intent")
    charge = account.store.get("charges", intent["latest_charge"] or "")
    if charge is None or charge["status"] != "succeeded":
        raise Refusal(
            f"This PaymentIntent ({identifier}) does not have a successful charge to refund.",
            param="payment_intent",
            stored=True,
        )
    return charge


def _refundable(charge: Row, pence: int | None) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise Refusal(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            stored=True,
        )
    if charge["status"] != "succeeded":
        raise Refusal(f"Charge {charge['id']} has not succeeded.", param="charge", stored=True)
    if left == 0:
        raise Refusal(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
            stored=True,
        )
    if pence is not None and pence > left:
        whole = "charge amount" if left == charge["amount"] else "unrefunded amount on charge"
        raise Refusal(
            f"Refund amount ({pounds(pence)}) is greater than {whole} ({pounds(left)})",
            param="amount",
            stored=True,
        )
    return left if pence is None else pence


def _give_back(account: Account, charge: Row, pence: int, cause: Cause) -> None:
    total = charge["amount_refunded"] + pence
    previous = {"amount_refunded": charge["amount_refunded"]}
    if total == charge["amount"]:
        previous["refunded"] = False
    charge = account.put(
        "charges", charge, amount_refunded=total, refunded=total == charge["amount"]
    )
    account.event("charge.refunded", charge, cause, previous)


def settle(account: Account, refund_id: str) -> Row:
    """A pending refund has reached the payer's bank."""
    refund = account.get("refunds", refund_id, param="refund")
    if refund["status"] != "pending":
        raise Refusal(f"This refund is {refund['status']}.")
    settled = account.put("refunds", refund, status="succeeded")
    account.event("refund.updated", settled, previous={"status": "pending"})
    return settled


def fail(account: Account, refund_id: str, reason: str = "expired_or_canceled_card") -> Row:
    """The payer's bank sends a refund back: the money returns and the charge is paid again."""
    refund = account.get("refunds", refund_id, param="refund")
    if refund["status"] not in ("pending", "succeeded"):
        raise Refusal(f"This refund is {refund['status']}.")
    by_card = refund["charge"].startswith("ch_")
    booked = account.book(
        pence=refund["amount"],
        kind="refund_failure" if by_card else "payment_failure_refund",
        category="refund_failure",
        source=refund["id"],
        description=f"REFUND FAILURE ({refund['id']})",
    )
    failed = account.put(
        "refunds",
        refund,
        status="failed",
        failure_reason=reason,
        failure_balance_transaction=booked["id"],
    )
    charge = account.get("charges", refund["charge"])
    account.put(
        "charges",
        charge,
        amount_refunded=charge["amount_refunded"] - refund["amount"],
        refunded=False,
    )
    account.event("refund.updated", failed, previous={"status": refund["status"]})
    account.event("refund.failed", failed)
    return failed
