"""Stripe's objects beside the payment itself: the balance, refunds, payouts, disputes."""

from typing import Any

from sandbox.objects import CARD, Row, new_id

_DAY = 24 * 60 * 60


def balance_transaction(
    *,
    pence: int,
    fee: int,
    kind: str,
    category: str,
    source: str,
    description: str | None,
    now: int,
    available_in_days: int = 0,
) -> Row:
    """One movement of the account's balance; `net` is `pence` less `fee`."""
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": "gbp",
            "description": "Dispute fee" if category == "dispute" else "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": pence,
        "available_on": now + available_in_days * _DAY,
        "balance_type": "payments",
        "created": now,
        "currency": "gbp",
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": pence - fee,
        "reporting_category": category,
        "source": source,
        "status": "pending" if available_in_days else "available",
        "type": kind,
    }


def refund(charge: Row, pence: int, params: Row, status: str, now: int) -> Row:
    """A refund of part or all of a charge."""
    by_card = charge["id"].startswith("ch_")
    details: Row = {"type": charge["payment_method_details"]["type"]}
    if by_card:
        details[CARD] = {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }
    return {
        "id": new_id("re" if by_card else "pyr"),
        "object": "refund",
        "amount": pence,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "destination_details": details,
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def payout(pence: int, now: int) -> Row:
    """An automatic payout to the charity's bank account."""
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": pence,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": now - now % _DAY,
        "automatic": True,
        "balance_transaction": None,
        "created": now,
        "currency": "gbp",
        "description": "STRIPE PAYOUT",
        "destination": new_id("ba"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def dispute(charge: Row, reason: str, now: int) -> Row:
    """A chargeback of what is left of the charge, waiting for an answer."""
    by_card = charge["id"].startswith("ch_")
    details: dict[str, Any] = {"type": charge["payment_method_details"]["type"]}
    if by_card:
        details[CARD] = {
            "brand": "visa",
            "case_type": "chargeback",
            "network": "visa",
            "network_reason_code": "10.4",
        }
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": now + 7 * _DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4" if by_card else None,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": details,
        "reason": reason,
        "status": "needs_response",
    }


def fraud_warning(charge: Row, now: int) -> Row:
    """The card's issuer thinks that the payment was fraudulent."""
    return {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": not (charge["refunded"] or charge["disputed"]),
        "charge": charge["id"],
        "created": now,
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
