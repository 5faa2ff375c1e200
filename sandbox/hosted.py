"""The page on which the payer pays, as Stripe Checkout hosts it."""

from sandbox.errors import Refusal
from sandbox.html import Page, Safe, fill, joined, moment, page, redirect
from sandbox.machine import Machine
from sandbox.objects import Row, pounds

_ITEM = """<div class="line"><dt>{name}{quantity}</dt><dd>{amount}</dd></div>"""
_SUMMARY = """<section class="summary" aria-labelledby="total">
{back}
<p class="quiet">You are paying</p>
<h1 id="total">{amount}</h1>
<dl class="lines">{items}</dl>
</section>"""
_BACK = """<p><a class="back" id="back" href="{url}">Back</a></p>"""
_FORM = """<form class="card" method="post" action="/c/pay/{id}/pay">
<h2>Pay by card</h2>
{notice}
{email}
<p class="quiet">There is no card to fill in. Choose how this payment ends.</p>
<button class="lead" id="pay">Pay {amount}</button>
<h2>Or let it end otherwise</h2>
<button id="decline" formaction="/c/pay/{id}/decline" formnovalidate>Card is declined</button>
<button id="pay-later" formaction="/c/pay/{id}/pay-later">Pay later</button>
<p class="quiet">With Pay later the bank confirms or refuses afterwards, on the control page.</p>
<p class="quiet">This page is open until {until}.</p>
</form>"""
_EMAIL_GIVEN = """<p><span class="quiet">E-mail</span><br>{email}</p>"""
_EMAIL_ASKED = """<p><label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="email" required></p>"""
_DECLINED = """<p class="notice bad" role="alert">The card was declined and nothing was taken.
You can try again, or go back.</p>"""
_ENDED = """<section class="card">
<h1>{title}</h1>
<p>{text}</p>
{more}
</section>"""
_LINK = """<p><a class="button{tone}" id="onward" href="{url}">{label}</a></p>"""
_BANK = """<form method="post">
<button class="lead" id="bank-confirms"
formaction="/c/pay/{id}/bank-confirms">Bank confirms</button>
<button id="bank-refuses" formaction="/c/pay/{id}/bank-refuses">Bank refuses</button>
</form>"""


def show(machine: Machine, session_id: str, *, declined: bool = False) -> Page:
    """The payment page of a session, which depends on the session's state."""
    session = machine.account.store.get("sessions", session_id)
    if session is None:
        text = "There is no such payment page. The link may be incomplete."
        return _ended("No such page", text, status=404)
    if session["status"] == "expired":
        text = "The time for this payment is over. Nothing was taken."
        back = _link(session["cancel_url"], "Back", leads=True)
        return _ended("This page has expired", text, [back])
    if session["status"] == "complete":
        return _complete(machine, session)
    return _open(machine, session, declined=declined)


def act(machine: Machine, session_id: str, action: str, form: dict[str, str]) -> Page:
    """Do what a button says, and redirect to the site, or back to this page."""
    email = form.get("email") or None
    here = f"/c/pay/{session_id}"
    verbs = {
        "pay": lambda: machine.pay(session_id, email),
        "decline": lambda: machine.decline(session_id, email),
        "pay-later": lambda: machine.pay_later(session_id, email),
        "bank-confirms": lambda: machine.settle_later(session_id, ok=True),
        "bank-refuses": lambda: machine.settle_later(session_id, ok=False),
    }
    if action not in verbs:
        return _ended("No such page", "There is nothing at this address.", status=404)
    try:
        session = verbs[action]()
    except Refusal:
        # A double click, the back button, or the session has expired.
        kept = machine.account.store.get("sessions", session_id)
        if kept is None or kept["status"] != "complete" or action.startswith("bank"):
            return redirect(here)
        session = kept
    if action == "decline" and session["status"] == "open":
        return redirect(f"{here}?declined=1")
    if action.startswith("bank"):
        return redirect(here)
    return redirect(success_url(session))


def success_url(session: Row) -> str:
    """Where the payer goes afterwards, with the session's id filled in."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _open(machine: Machine, session: Row, *, declined: bool) -> Page:
    draft = machine.account.get("drafts", session["id"])
    items = [
        fill(
            _ITEM,
            name=item["description"],
            quantity=f" × {item['quantity']}" if item["quantity"] > 1 else "",
            amount=pounds(item["amount_total"]),
        )
        for item in draft["line_items"]
    ]
    given = session["customer_email"]
    amount = pounds(session["amount_total"])
    back = fill(_BACK, url=session["cancel_url"]) if session["cancel_url"] else Safe("")
    summary = fill(_SUMMARY, back=back, amount=amount, items=joined(items))
    form = fill(
        _FORM,
        id=session["id"],
        notice=Safe(_DECLINED if declined else ""),
        email=fill(_EMAIL_GIVEN, email=given) if given else Safe(_EMAIL_ASKED),
        amount=amount,
        until=moment(session["expires_at"]),
    )
    body = fill('<div class="pay">{summary}{form}</div>', summary=summary, form=form)
    return page(f"Pay {amount}", body)


def _complete(machine: Machine, session: Row) -> Page:
    onward = _link(success_url(session), "Continue", leads=True)
    amount = pounds(session["amount_total"])
    if session["payment_status"] == "paid":
        return _ended("Paid", f"This payment of {amount} is complete.", [onward])
    charge = machine.account.charge_of(session["id"])
    if charge["status"] == "failed":
        return _ended("Not paid", f"The bank refused this payment of {amount}.", [onward])
    text = f"The bank has not yet answered about this payment of {amount}."
    onward = _link(success_url(session), "Continue", leads=False)
    return _ended("Waiting for the bank", text, [fill(_BANK, id=session["id"]), onward])


def _link(url: str | None, label: str, *, leads: bool) -> Safe:
    return fill(_LINK, url=url, label=label, tone=" lead" if leads else "") if url else Safe("")


def _ended(title: str, text: str, more: list[Safe] | None = None, status: int = 200) -> Page:
    return page(title, fill(_ENDED, title=title, text=text, more=joined(more or [])), status=status)
