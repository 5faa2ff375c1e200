"""The objects have exactly the fields that the SDK's own classes name."""

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import stripe

from sandbox.server import Sandbox

SDK = Path(stripe.__file__).parent
# Stripe leaves these out: they come only when expanded, or only where they apply.
ABSENT = {
    "checkout.session": {
        "branding_settings",
        "line_items",
        "name_collection",
        "optional_items",
        "presentment_details",
        "redirect_on_completion",
        "return_url",
        "tax_id_collection",
    },
    "payment_intent": {
        "hooks",
        "managed_payments",
        "payment_details",
        "payment_record",
        "presentment_details",
    },
    "charge": {"authorization_code", "level3", "presentment_details", "refunds", "transfer"},
    "refund": {
        "customer",
        "customer_account",
        "description",
        "failure_balance_transaction",
        "failure_reason",
        "instructions_email",
        "next_action",
        "payment_method",
        "pending_reason",
        "presentment_details",
    },
    "event": {"account", "context"},
    "dispute": {"intended_submission_method"},
}
CLASSES = {
    "checkout.session": ("checkout/_session.py", "Session"),
    "payment_intent": ("_payment_intent.py", "PaymentIntent"),
    "charge": ("_charge.py", "Charge"),
    "refund": ("_refund.py", "Refund"),
    "balance_transaction": ("_balance_transaction.py", "BalanceTransaction"),
    "event": ("_event.py", "Event"),
    "payout": ("_payout.py", "Payout"),
    "dispute": ("_dispute.py", "Dispute"),
    "radar.early_fraud_warning": ("radar/_early_fraud_warning.py", "EarlyFraudWarning"),
}


@cache
def class_of(name: str) -> ast.ClassDef:
    path, class_name = CLASSES[name]
    tree = ast.parse((SDK / path).read_text())
    return next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)


def fields(node: ast.ClassDef) -> dict[str, str]:
    """Field names and annotations; class variables are left out."""
    named = {
        part.target.id: ast.unparse(part.annotation)
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }
    return {name: kind for name, kind in named.items() if not kind.startswith("ClassVar")}


def strangers(value: dict[str, Any], node: ast.ClassDef, path: str) -> list[str]:
    """Fields of `value`, at any depth, that the SDK's class does not name."""
    known = fields(node)
    inner = {part.name: part for part in node.body if isinstance(part, ast.ClassDef)}
    found = [f"{path}.{name}" for name in value if name not in known]
    for name, nested in value.items():
        kind = known.get(name, "").removeprefix("Optional[").removesuffix("]")
        if isinstance(nested, dict) and kind in inner:
            found += strangers(nested, inner[kind], f"{path}.{name}")
    return found


@pytest.fixture
def everything(
    sandbox: Sandbox, checkout: Callable[..., Any], client: stripe.StripeClient
) -> list[dict[str, Any]]:
    """One object of each kind, in as many states as there are."""
    later = sandbox.pay_later(checkout().id)["payment_intent"]
    sandbox.settle_later(checkout_of(client, later), ok=False)
    sandbox.decline(checkout().id)
    refunded = sandbox.pay(checkout().id)["payment_intent"]
    failed = sandbox.refund(refunded, 100)
    sandbox.fail_refund(failed["id"])
    disputed = sandbox.pay(checkout().id)["payment_intent"]
    paid_out = sandbox.payout()
    sandbox.close_dispute(sandbox.dispute(disputed)["id"], won=True)
    sandbox.warn_of_fraud(refunded)
    sandbox.fail_payout(paid_out["id"])
    v1 = client.v1
    pages = [
        v1.checkout.sessions.list(),
        v1.payment_intents.list(),
        v1.charges.list(),
        v1.refunds.list(),
        v1.balance_transactions.list(),
        v1.events.list({"limit": 100}),
        v1.payouts.list(),
        v1.disputes.list(),
        v1.radar.early_fraud_warnings.list(),
    ]
    return [each.to_dict(recursive=True) for page in pages for each in page.data]


def checkout_of(client: stripe.StripeClient, intent: str) -> str:
    (session,) = client.v1.checkout.sessions.list({"payment_intent": intent}).data
    return session.id


def test_objects_have_the_fields_of_the_sdk(everything: list[dict[str, Any]]) -> None:
    assert {each["object"] for each in everything} == set(CLASSES)
    for each in everything:
        node = class_of(each["object"])
        assert strangers(each, node, each["object"]) == []
        missing = set(fields(node)) - set(each) - ABSENT.get(each["object"], set())
        assert missing == set(), each["object"]


def test_objects_are_in_test_mode(everything: list[dict[str, Any]]) -> None:
    assert {each["livemode"] for each in everything if "livemode" in each} == {False}
