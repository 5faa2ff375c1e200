"""Stripe's objects, field by field, as API version 2026-10-28.endive shapes them.

Every field that Stripe always sends is there, null where it does not apply; fields that it sends
only when expanded are not. Nested objects hold a part of Stripe's fields. The tests compare the
names with the SDK's own classes.
"""

import secrets
from typing import Any

Row = dict[str, Any]

API_VERSION = "2026-10-28.endive"
_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))

CARD = "card"
DEBIT = "bacs_debit"  # direct debit: the bank answers days afterwards


def new_id(prefix: str) -> str:
    """A fresh identifier such as `pi_5f…`; sessions get the long form that Stripe gives them."""
    if prefix == "cs":
        return f"cs_test_a1{secrets.token_hex(28)}"
    return f"{prefix}_{secrets.token_hex(12)}"


def pounds(pence: int) -> str:
    """`£15.00`, as Stripe writes amounts in its messages."""
    return f"£{pence // 100:,}.{pence % 100:02d}"


# The fields that are the same in every new session.
_SESSION: Row = {
    "id": "",
    "object": "checkout.session",
    **dict.fromkeys(
        "after_expiration allow_promotion_codes allowed_payment_method_types "
        "billing_address_collection client_secret "
        "collected_information consent consent_collection currency_conversion customer "
        "customer_account excluded_payment_method_types integration_identifier invoice "
        "origin_context payment_intent payment_link payment_method_configuration_details "
        "permissions recovered_from saved_payment_method_options setup_intent "
        "shipping_address_collection shipping_cost subscription wallet_options".split()
    ),
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "custom_fields": [],
    "custom_text": dict.fromkeys(
        ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    ),
    "customer_creation": "if_required",
    "discounts": [],
    "invoice_creation": {"enabled": False},
    "livemode": False,
    "managed_payments": {"enabled": False},
    "mode": "payment",
    "payment_method_collection": "if_required",
    "payment_method_options": {},
    "payment_method_types": [CARD],
    "payment_status": "unpaid",
    "phone_number_collection": {"enabled": False},
    "shipping_options": [],
    "status": "open",
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted_page",
}


def session(base_url: str, params: Row, now: int) -> Row:
    """An open Checkout Session. `params` are checked parameters of the create call."""
    identifier = new_id("cs")
    pence = total(params["line_items"])
    email = params.get("customer_email")
    given = "cancel_url client_reference_id customer_email locale submit_type success_url"
    return {
        **_SESSION,
        **{name: params.get(name) for name in given.split()},
        "id": identifier,
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", False)},
        "amount_subtotal": pence,
        "amount_total": pence,
        "created": now,
        "currency": params["line_items"][0]["price_data"]["currency"],
        "customer_details": customer_details(email) if email else None,
        "expires_at": params.get("expires_at", now + 24 * 60 * 60),
        "metadata": params.get("metadata", {}),
        "url": f"{base_url}/c/pay/{identifier}",
    }


def total(line_items: list[Row]) -> int:
    """Pence for all line items of a create call."""
    return sum(item["price_data"]["unit_amount"] * item["quantity"] for item in line_items)


def line_item(item: Row) -> Row:
    """What the payment page shows of one line item of a create call."""
    return {
        "description": item["price_data"]["product_data"]["name"],
        "amount_total": total([item]),
        "quantity": item["quantity"],
    }


def customer_details(email: str | None) -> Row:
    """What Checkout knows of a guest."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def collected_information() -> Row:
    return {"business_name": None, "individual_name": None, "shipping_details": None}


_INTENT: Row = {
    "id": "",
    "object": "payment_intent",
    **dict.fromkeys(
        "allowed_payment_method_types application application_fee_amount "
        "automatic_payment_methods canceled_at "
        "cancellation_reason customer customer_account excluded_payment_method_types "
        "last_payment_error latest_charge next_action on_behalf_of payment_method "
        "payment_method_configuration_details processing receipt_email review "
        "setup_future_usage shipping source statement_descriptor statement_descriptor_suffix "
        "transfer_data transfer_group".split()
    ),
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "capture_method": "automatic_async",
    "confirmation_method": "automatic",
    "livemode": False,
    "payment_method_options": {},
    "status": "requires_payment_method",
}


def payment_intent(session_row: Row, data: Row, method: str, now: int) -> Row:
    """The payment intent of a session. `data` is the session's `payment_intent_data`."""
    identifier = new_id("pi")
    return {
        **_INTENT,
        "id": identifier,
        "amount": session_row["amount_total"],
        "client_secret": f"{identifier}_secret_{secrets.token_hex(12)}",
        "created": now,
        "currency": session_row["currency"],
        "description": data.get("description"),
        "metadata": data.get("metadata", {}),
        "payment_method_types": [method],
    }


_CHARGE: Row = {
    "id": "",
    "object": "charge",
    **dict.fromkeys(
        "application application_fee application_fee_amount balance_transaction customer "
        "failure_balance_transaction failure_code failure_message on_behalf_of outcome "
        "receipt_number receipt_url review shipping source source_transfer transfer_data "
        "transfer_group".split()
    ),
    "amount_captured": 0,
    "amount_refunded": 0,
    "captured": True,
    "disputed": False,
    "fraud_details": {},
    "livemode": False,
    "paid": False,
    "radar_options": {},
    "refunded": False,
    "status": "pending",
}


def charge(intent: Row, method: str, email: str | None, now: int) -> Row:
    """A pending charge. As at Stripe, its id begins with `py_` where it is not by card."""
    same = (
        "amount currency description metadata payment_method receipt_email statement_descriptor "
        "statement_descriptor_suffix"
    )
    return {
        **_CHARGE,
        **{name: intent[name] for name in same.split()},
        "id": new_id("ch" if method == CARD else "py"),
        "billing_details": {
            "address": dict(_ADDRESS),
            "email": email,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "LOCAL STRIPE" if method == CARD else None,
        "created": now,
        "payment_intent": intent["id"],
        "payment_method_details": _method_details(method, intent["amount"]),
    }


def _method_details(method: str, pence: int) -> Row:
    if method == DEBIT:
        debit = {"fingerprint": "local", "last4": "2345", "sort_code": "108800"}
        return {"type": DEBIT, DEBIT: debit}
    card = {
        "amount_authorized": pence,
        "brand": "visa",
        "country": "GB",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": "local",
        "funding": "credit",
        "last4": "4242",
        "network": "visa",
        "wallet": None,
    }
    return {"type": CARD, CARD: card}


def outcome(*, paid: bool) -> Row:
    """How the card network answered."""
    return {
        "advice_code": None if paid else "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None if paid else "01",
        "network_status": "approved_by_network" if paid else "declined_by_network",
        "reason": None if paid else "generic_decline",
        "risk_level": "normal",
        "seller_message": "Payment complete."
        if paid
        else "The bank did not return any further details with this decline.",
        "type": "authorized" if paid else "issuer_declined",
    }
