"""Which parameters each call takes: a part of those of Stripe's API 2026-10-28.endive.

Whatever is not named here is refused as unknown, whether Stripe takes it or not.
"""

from sandbox.params import Array, Email, Flag, Hash, Kind, Metadata, Span, Text, Url, Whole

Shape = dict[str, Kind]

_EXPAND = {"expand": Array(of=Text())}

RETRIEVE: Shape = {**_EXPAND}
EXPIRE: Shape = {**_EXPAND}

_PRICE_DATA: Shape = {
    # The site keeps its books in pounds; a session in another currency would be its mistake.
    "currency": Text(required=True, choices=("gbp",)),
    "unit_amount": Whole(required=True, least=0),
    "product_data": Hash(required=True, shape={"name": Text(required=True), "description": Text()}),
}

_LINE_ITEM: Shape = {
    "price_data": Hash(required=True, shape=_PRICE_DATA),
    "quantity": Whole(required=True, least=1, most=999999),
}

_PAYMENT_INTENT_DATA: Shape = {
    "description": Text(longest=1000),
    "metadata": Metadata(),
}

SESSION_CREATE: Shape = {
    "mode": Text(required=True, choices=("payment",)),
    "line_items": Array(required=True, of=Hash(shape=_LINE_ITEM)),
    "success_url": Url(required=True),
    "cancel_url": Url(),
    "adaptive_pricing": Hash(shape={"enabled": Flag()}),
    "client_reference_id": Text(longest=200),
    "customer_email": Email(longest=800),
    "expires_at": Whole(least=1),
    "locale": Text(choices=("auto", "en", "en-GB")),
    "metadata": Metadata(),
    "payment_intent_data": Hash(shape=_PAYMENT_INTENT_DATA),
    "submit_type": Text(choices=("auto", "book", "donate", "pay")),
    **_EXPAND,
}

REFUND_CREATE: Shape = {
    "amount": Whole(least=1),
    "charge": Text(),
    "payment_intent": Text(),
    "reason": Text(choices=("duplicate", "fraudulent", "requested_by_customer")),
    "metadata": Metadata(),
    **_EXPAND,
}


def _listing(**filters: Kind) -> Shape:
    """A list call: paging, expand, `created`, and its own filters."""
    return {
        "limit": Whole(least=1, most=100),
        "starting_after": Text(),
        "created": Span(),
        **_EXPAND,
        **filters,
    }


SESSION_LIST = _listing(
    status=Text(choices=("complete", "expired", "open")),
    payment_intent=Text(),
)
PAYMENT_INTENT_LIST = _listing()
CHARGE_LIST = _listing(payment_intent=Text())
# Refunds, disputes and early fraud warnings.
OF_PAYMENT_LIST = _listing(charge=Text(), payment_intent=Text())
BALANCE_TRANSACTION_LIST = _listing(payout=Text(), source=Text(), type=Text())
PAYOUT_LIST = _listing(status=Text(choices=("canceled", "failed", "in_transit", "paid", "pending")))
EVENT_LIST = _listing(types=Array(of=Text(), most=20), delivery_success=Flag())
