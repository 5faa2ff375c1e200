"""Which parameters each call takes, as Stripe's API 2026-10-28.endive has them.

Gone from that version and so refused as unknown: `payment_method_types`. Never there:
`custom_unit_amount` inside `price_data`.
"""

from sandbox.params import (
    Array,
    Email,
    Flag,
    Hash,
    Kind,
    Metadata,
    NotImitated,
    Span,
    Text,
    Url,
    Whole,
    WholeDecimal,
)

Shape = dict[str, Kind]

LOCALES = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hi-IN hr hu id it ja ko lt lv ms "
    "mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
).split()
METHODS = ("card", "bacs_debit", "link", "pay_by_bank", "paypal", "revolut_pay", "amazon_pay")
# We keep our books in pounds; a session in another currency is a mistake of ours.
CURRENCIES = ("gbp",)

_EXPAND = {"expand": Array(of=Text())}
_MESSAGE = Hash(shape={"message": Text(required=True, longest=1200)})

RETRIEVE: Shape = {**_EXPAND}
EXPIRE: Shape = {**_EXPAND}

_PRODUCT_DATA: Shape = {
    "name": Text(required=True),
    "description": Text(),
    "images": Array(of=Url(longest=2048), most=8),
    "metadata": Metadata(),
    "tax_code": Text(),
    "unit_label": Text(longest=12),
    "tax_details": NotImitated(),
}

_PRICE_DATA: Shape = {
    "currency": Text(required=True, choices=CURRENCIES),
    "unit_amount": Whole(least=0),
    "unit_amount_decimal": WholeDecimal(),
    "product_data": Hash(shape=_PRODUCT_DATA),
    "tax_behavior": Text(choices=("exclusive", "inclusive", "unspecified")),
    "product": NotImitated(),
    "recurring": NotImitated(),
}

_LINE_ITEM: Shape = {
    "price_data": Hash(required=True, shape=_PRICE_DATA),
    "quantity": Whole(required=True, least=1, most=999999),
    "metadata": Metadata(),
    "price": NotImitated(),
    "tax_rates": NotImitated(),
    "adjustable_quantity": NotImitated(),
}

_PAYMENT_INTENT_DATA: Shape = {
    "description": Text(longest=1000),
    "metadata": Metadata(),
    "receipt_email": Email(),
    "statement_descriptor": Text(longest=22),
    "statement_descriptor_suffix": Text(longest=22),
    **dict.fromkeys(
        (
            "application_fee_amount",
            "capture_method",
            "on_behalf_of",
            "setup_future_usage",
            "shipping",
            "transfer_data",
            "transfer_group",
        ),
        NotImitated(),
    ),
}

_SESSION_NOT_IMITATED = (
    "after_expiration allow_promotion_codes automatic_tax billing_address_collection "
    "branding_settings consent_collection custom_fields customer customer_account "
    "customer_update discounts excluded_payment_method_types invoice_creation managed_payments "
    "name_collection optional_items payment_method_collection payment_method_configuration "
    "payment_method_data payment_method_options permissions phone_number_collection "
    "redirect_on_completion return_url saved_payment_method_options setup_intent_data "
    "shipping_address_collection shipping_options subscription_data tax_id_collection "
    "wallet_options"
).split()

SESSION_CREATE: Shape = {
    "mode": Text(required=True, choices=("payment",)),
    "line_items": Array(required=True, of=Hash(shape=_LINE_ITEM)),
    "success_url": Url(required=True),
    "cancel_url": Url(),
    "adaptive_pricing": Hash(shape={"enabled": Flag()}),
    "allowed_payment_method_types": Array(of=Text(choices=METHODS)),
    "client_reference_id": Text(longest=200),
    "currency": Text(choices=CURRENCIES),
    "custom_text": Hash(shape={"submit": _MESSAGE, "after_submit": _MESSAGE}),
    "customer_creation": Text(choices=("if_required",)),
    "customer_email": Email(longest=800),
    "expires_at": Whole(least=1),
    "integration_identifier": Text(longest=500),
    "locale": Text(choices=tuple(LOCALES)),
    "metadata": Metadata(),
    "origin_context": Text(choices=("mobile_app", "web")),
    "payment_intent_data": Hash(shape=_PAYMENT_INTENT_DATA),
    "submit_type": Text(choices=("auto", "book", "donate", "pay")),
    "ui_mode": Text(choices=("hosted_page",)),
    **_EXPAND,
    **dict.fromkeys(_SESSION_NOT_IMITATED, NotImitated()),
}

REFUND_CREATE: Shape = {
    "amount": Whole(least=1),
    "charge": Text(),
    "payment_intent": Text(),
    "reason": Text(choices=("duplicate", "fraudulent", "requested_by_customer")),
    "metadata": Metadata(),
    **_EXPAND,
    **dict.fromkeys(
        (
            "currency",
            "customer",
            "instructions_email",
            "origin",
            "refund_application_fee",
            "reverse_transfer",
        ),
        NotImitated(),
    ),
}


def _listing(**filters: Kind) -> Shape:
    """A list call: paging, expand, `created`, and its own filters."""
    return {
        "limit": Whole(least=1, most=100),
        "starting_after": Text(),
        "ending_before": Text(),
        "created": Span(),
        **_EXPAND,
        **filters,
    }


LINE_ITEM_LIST: Shape = {key: kind for key, kind in _listing().items() if key != "created"}
SESSION_LIST = _listing(
    status=Text(choices=("complete", "expired", "open")),
    payment_intent=Text(),
    customer_details=Hash(shape={"email": Text(required=True)}),
    customer=NotImitated(),
    customer_account=NotImitated(),
    payment_link=NotImitated(),
    subscription=NotImitated(),
)
PAYMENT_INTENT_LIST = _listing(customer=NotImitated(), customer_account=NotImitated())
CHARGE_LIST = _listing(payment_intent=Text(), customer=NotImitated(), transfer_group=NotImitated())
REFUND_LIST = _listing(charge=Text(), payment_intent=Text())
DISPUTE_LIST = _listing(charge=Text(), payment_intent=Text())
FRAUD_WARNING_LIST = _listing(charge=Text(), payment_intent=Text())
BALANCE_TRANSACTION_LIST = _listing(currency=Text(), payout=Text(), source=Text(), type=Text())
PAYOUT_LIST = _listing(
    status=Text(choices=("canceled", "failed", "in_transit", "paid", "pending")),
    arrival_date=Span(),
    destination=NotImitated(),
)
EVENT_LIST = _listing(type=Text(), types=Array(of=Text(), most=20), delivery_success=Flag())
