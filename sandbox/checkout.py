"""Checkout Sessions, from creation to paid, declined, pending or expired.

Every function takes the account first and must run inside `store.change()`, but for
`expire_due`, which opens its own.
"""

import heapq

from sandbox import objects
from sandbox.account import Account
from sandbox.errors import Refusal
from sandbox.events import NOBODY, Cause
from sandbox.objects import CARD, DEBIT, Row, pounds

LEAST_PENCE = 30
MOST_PENCE = 99_999_999
SOONEST, LATEST = 30 * 60, 24 * 60 * 60  # seconds from now to a session's expiry
_DAYS_UNTIL_AVAILABLE = 3


def create(account: Account, params: Row, cause: Cause = NOBODY) -> Row:
    """A new open session. Raises Refusal for amounts and times that Stripe does not take."""
    now = account.now()
    _check_amounts(params)
    _check_expiry(params, now)
    row = account.put("sessions", objects.session(account.base_url, params, now))
    items = [objects.line_item(item) for item in params["line_items"]]
    account.put(
        "drafts",
        {
            "id": row["id"],
            "line_items": items,
            "payment_intent_data": params.get("payment_intent_data", {}),
            "payment_intent": None,
        },
    )
    heapq.heappush(account.due, (row["expires_at"], row["id"]))
    return row


def _check_amounts(params: Row) -> None:
    if not params["line_items"]:
        raise Refusal(
            "Missing required param: line_items.", code="parameter_missing", param="line_items"
        )
    total = objects.total(params["line_items"])
    if total < LEAST_PENCE:
        # Stripe takes a total of nothing; the site never sends one, so it would be a mistake.
        raise Refusal(
            "The Checkout Session's total amount due must add up to at least "
            f"{pounds(LEAST_PENCE)} gbp",
            code="amount_too_small",
            param="line_items",
        )
    if total > MOST_PENCE:
        raise Refusal(
            f"The Checkout Session's total amount due must be no more than {pounds(MOST_PENCE)}",
            code="amount_too_large",
            param="line_items",
        )


def _check_expiry(params: Row, now: int) -> None:
    expires_at = params.get("expires_at")
    if expires_at is None:
        return
    if expires_at < now + SOONEST:
        raise Refusal(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            param="expires_at",
        )
    if expires_at > now + LATEST:
        raise Refusal(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )


def expire(account: Account, session_id: str, cause: Cause = NOBODY) -> Row:
    """Close an open session. Raises Refusal where it is no longer open."""
    session = account.get("sessions", session_id, param="session")
    if session["status"] != "open":
        raise Refusal(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{session['status']}`.",
            stored=True,
        )
    session = account.put("sessions", session, status="expired", url=None)
    intent_id = account.get("drafts", session_id)["payment_intent"]
    if intent_id is not None:  # a card was declined before
        account.put(
            "payment_intents",
            account.get("payment_intents", intent_id),
            status="canceled",
            canceled_at=account.now(),
            cancellation_reason="automatic",
        )
    account.event("checkout.session.expired", session, cause)
    return session


def expire_due(account: Account) -> None:
    """Close every open session whose time has passed by the account's clock."""
    with account.store.change():
        now = account.now()
        while account.due and account.due[0][0] <= now:
            _, session_id = heapq.heappop(account.due)
            row = account.store.get("sessions", session_id)
            if row is not None and row["status"] == "open":
                expire(account, session_id)


def _open(account: Account, session_id: str) -> Row:
    session = account.get("sessions", session_id, param="session")
    if session["status"] != "open":
        raise Refusal(f"This Checkout Session is {session['status']}.")
    return session


def _attempt(account: Account, session: Row, method: str, email: str | None) -> tuple[Row, Row]:
    """The session's payment intent and a new pending charge.

    The first attempt makes the intent, later ones use it again; each has its own charge.
    """
    draft = account.get("drafts", session["id"])
    data = draft["payment_intent_data"]
    if draft["payment_intent"] is None:
        intent = objects.payment_intent(session, data, method, account.now())
        account.put("drafts", draft, payment_intent=intent["id"])
    else:
        intent = account.get("payment_intents", draft["payment_intent"])
    intent = {
        **intent,
        "payment_method": objects.new_id("pm"),
        "payment_method_types": [method],
        "last_payment_error": None,
    }
    email = session["customer_email"] or email
    charge = objects.charge(intent, method, email, account.now())
    intent = account.put("payment_intents", intent, latest_charge=charge["id"])
    return intent, charge


def pay(account: Account, session_id: str, email: str | None = None) -> Row:
    """Pay by card at once. `email` is what the payer typed, for sessions created without one."""
    session = _open(account, session_id)
    intent, charge = _attempt(account, session, CARD, email)
    session = _complete(account, session, intent, charge, payment_status="paid")
    _succeed(account, intent, charge)
    account.event("checkout.session.completed", session)
    return session


def decline(account: Account, session_id: str, email: str | None = None) -> Row:
    """The card is declined; the session stays open for another attempt."""
    session = _open(account, session_id)
    intent, charge = _attempt(account, session, CARD, email)
    _fail(account, intent, charge, "card_declined", "Your card was declined.")
    return session


def pay_later(account: Account, session_id: str, email: str | None = None) -> Row:
    """Complete the session unpaid, by direct debit; the bank's answer is `settle_later`."""
    session = _open(account, session_id)
    intent, charge = _attempt(account, session, DEBIT, email)
    account.put("charges", charge)
    intent = account.put("payment_intents", intent, status="processing")
    session = _complete(account, session, intent, charge, payment_status="unpaid")
    account.event("checkout.session.completed", session)
    return session


def settle_later(account: Account, session_id: str, *, ok: bool = True) -> Row:
    """The bank confirms (`ok`) or refuses a direct debit. Raises Refusal if none waits for that."""
    session = account.get("sessions", session_id, param="session")
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        raise Refusal("No payment of this Checkout Session waits for the bank.")
    intent = account.get("payment_intents", session["payment_intent"])
    charge = account.get("charges", intent["latest_charge"])
    if charge["status"] != "pending":
        raise Refusal("The bank has already refused this payment.")
    if ok:
        session = account.put("sessions", session, payment_status="paid")
        _succeed(account, intent, charge)
        account.event("checkout.session.async_payment_succeeded", session)
    else:
        _fail(account, intent, charge, "insufficient_funds", "The bank refused the payment.")
        account.event("checkout.session.async_payment_failed", session)
    return session


def _complete(
    account: Account, session: Row, intent: Row, charge: Row, *, payment_status: str
) -> Row:
    email = charge["billing_details"]["email"]
    return account.put(
        "sessions",
        session,
        status="complete",
        payment_status=payment_status,
        payment_intent=intent["id"],
        url=None,
        customer_details=objects.customer_details(email),
        collected_information=objects.collected_information(),
    )


def fee_of(pence: int) -> int:
    """Stripe's fee for a British card in pence: 1.5% and 20p."""
    return (pence * 15 + 500) // 1000 + 20


def _succeed(account: Account, intent: Row, charge: Row) -> None:
    booked = account.book(
        pence=charge["amount"],
        fee=fee_of(charge["amount"]),
        kind="charge" if charge["id"].startswith("ch_") else "payment",
        category="charge",
        source=charge["id"],
        description=charge["description"],
        available_in_days=_DAYS_UNTIL_AVAILABLE,
    )
    charge = account.put(
        "charges",
        charge,
        status="succeeded",
        paid=True,
        amount_captured=charge["amount"],
        balance_transaction=booked["id"],
        outcome=objects.outcome(paid=True),
        receipt_url=f"{account.base_url}/receipts/{charge['id']}",
    )
    intent = account.put(
        "payment_intents",
        intent,
        status="succeeded",
        amount_received=charge["amount"],
        processing=None,
    )
    account.event("payment_intent.succeeded", intent)
    account.event("charge.succeeded", charge)


def _fail(account: Account, intent: Row, charge: Row, code: str, message: str) -> None:
    charge = account.put(
        "charges",
        charge,
        status="failed",
        failure_code=code,
        failure_message=message,
        outcome=objects.outcome(paid=False),
    )
    error = {
        "charge": charge["id"],
        "code": code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "type": "card_error",
    }
    intent = account.put(
        "payment_intents",
        intent,
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
    )
    account.event("charge.failed", charge)
    account.event("payment_intent.payment_failed", intent)
