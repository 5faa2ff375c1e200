"""The pages for people at / and /control/: what happened, and what to make happen."""

from itertools import islice

from sandbox import payouts
from sandbox.disputes import REASONS
from sandbox.events import SUBSCRIBED, UNDELIVERED, delivery_of
from sandbox.faults import CALL_KINDS, DELIVERY_KINDS, Fault
from sandbox.html import Page, Safe, fill, joined, moment, page
from sandbox.machine import Machine
from sandbox.objects import Row, pounds

_SHOWN = 20
_HOME = """<h1>What happened</h1>
<p>It is {now} here. The webhooks {webhooks}.</p>
<div class="two"><section aria-labelledby="payments"><h2 id="payments">Payments</h2>
{sessions}</section>
<section aria-labelledby="events"><h2 id="events">Events</h2>
{events}</section></div>"""
_EVENT = """<li class="card row">
<p><strong>{type}</strong> <span class="state {tone}">{state}</span><br>
<span class="quiet">{created} · {about}</span></p>
{resend}
</li>"""
_NOTHING = """<p class="quiet">Nothing yet.</p>"""
_SAID = """<p class="notice" role="status">{text}</p>"""
_TONES = {"paid": "good", "delivered": "good", "failed": "bad", "expired": "quiet", "open": ""}

_PAYMENT = """<li class="card" id="{id}">
<p><strong>{amount}</strong> <span class="state {tone}">{state}</span><br>
{name}<br><span class="quiet">{email} · {created}</span><br>
<a href="/c/pay/{id}">Its page</a>{to_control}</p>
{actions}
</li>"""
_TO_CONTROL = """ · <a href="/control/#{id}">Control</a>"""
_BUTTON = """<form method="post" action="/control/{action}">
<input type="hidden" name="{name}" value="{value}">{extra}<button>{label}</button></form>"""
_REFUND = """<form method="post" action="/control/refund">
<input type="hidden" name="payment" value="{id}">
<label>Pounds, or empty for all <input name="pounds" inputmode="decimal" size="8"></label>
<button>Refund</button></form>"""
_DISPUTE = """<form method="post" action="/control/dispute">
<input type="hidden" name="payment" value="{id}">
<label>Reason <select name="reason">{reasons}</select></label>
<button>Dispute</button></form>"""
_THING = """<div class="thing"><p>{text} <span class="state {tone}">{state}</span></p>
<div class="actions">{actions}</div></div>"""

_CONTROL = """<h1>Control</h1>
{said}
<p>On this page: <a href="#payments">payments</a>, <a href="#payouts">payouts</a>,
<a href="#clock">clock</a>, <a href="#webhooks">webhooks</a>, <a href="#faults">faults</a>.</p>
<h2 id="payments">Payments</h2>
{payments}
<h2 id="payouts">Payouts</h2>
<div class="card"><p>{waiting} waits in the balance.</p>
<form class="one" method="post" action="/control/payout"><button>Pay out now</button></form>
{payouts}</div>
<h2 id="clock">Clock</h2>
<div class="card"><p>It is {now} here{moved}.</p>
<div class="actions"><form method="post" action="/control/clock">
<label>Minutes to move on <input name="minutes" inputmode="numeric" value="31" size="6"></label>
<button>Move the clock</button></form>
<form method="post" action="/control/clock"><input type="hidden" name="reset" value="yes">
<button>Back to real time</button></form></div></div>
<h2 id="webhooks">Webhooks</h2>
<div class="card"><p>They go to {url} and are {switch}.</p>
<form class="one" method="post" action="/control/webhooks">
<input type="hidden" name="on" value="{turn}"><button>{turn_label}</button></form></div>
<h2 id="faults">Faults</h2>
<div class="card">{faults}
<div class="actions"><form method="post" action="/control/fault-in-delivery">
<label>In delivery <select name="kind">{delivery_kinds}</select></label>
<label>Event types <input name="types" value="*" size="16"></label>
<label>Times, or all <input name="times" value="1" size="4"></label>
<label>Seconds, for delay <input name="seconds" value="5" size="4"></label>
<button>Add</button></form>
<form method="post" action="/control/fault-in-call">
<label>In calls <select name="kind">{call_kinds}</select></label>
<label>Address <input name="path" value="/v1/checkout/sessions*" size="16"></label>
<label>Times, or all <input name="times" value="1" size="4"></label>
<label>Seconds, for hang <input name="seconds" value="15" size="4"></label>
<button>Add</button></form>
<form method="post" action="/control/faults-clear"><button>Clear all faults</button></form>
</div></div>"""


def home(machine: Machine) -> Page:
    """The latest payments and events."""
    store = machine.account.store
    on = "are on" if machine.courier.is_on else "are off"
    body = fill(
        _HOME,
        now=moment(machine.clock.now()),
        webhooks=on,
        sessions=_cards([_payment(machine, row) for row in _latest(machine, "sessions")]),
        events=_cards(
            [_event(row, delivery_of(store, row["id"])) for row in _latest(machine, "events")]
        ),
    )
    return page("What happened", body, here="home")


def control(machine: Machine, said: str) -> Page:
    """Everything that can be made to happen. `said` is how the last action ended, if any."""
    is_on, offset = machine.courier.is_on, machine.clock.offset
    waiting = sum(item["net"] for item in payouts.waiting(machine.account))
    body = fill(
        _CONTROL,
        said=fill(_SAID, text=said) if said else Safe(""),
        payments=_cards(
            [_payment(machine, row, _actions(machine, row)) for row in _latest(machine, "sessions")]
        ),
        waiting=f"−{pounds(-waiting)}" if waiting < 0 else pounds(waiting),
        payouts=joined([_payout(row) for row in _latest(machine, "payouts")]),
        now=moment(machine.clock.now()),
        moved=f", {offset} seconds off real time" if offset else ", real time",
        url=machine.webhook_url or "nobody",
        switch="on" if is_on else "off",
        turn="no" if is_on else "yes",
        turn_label="Switch off" if is_on else "Switch on",
        faults=_faults(machine.faults.waiting()),
        delivery_kinds=_options(DELIVERY_KINDS),
        call_kinds=_options(CALL_KINDS),
    )
    return page("Control", body, here="control")


def _latest(machine: Machine, table: str) -> list[Row]:
    with machine.account.store.lock:
        return list(islice(machine.account.store.table(table).newest_first(), _SHOWN))


def _cards(items: list[Safe]) -> Safe:
    return fill("<ul class='cards'>{items}</ul>", items=joined(items)) if items else Safe(_NOTHING)


def _payment(machine: Machine, row: Row, actions: Safe | None = None) -> Safe:
    """The card of a session: with what can be made to happen, or a link to where that is."""
    items = machine.account.get("drafts", row["id"])["line_items"]
    word = row["status"]
    if word == "complete":
        word = row["payment_status"]
        if word == "unpaid" and machine.account.charge_of(row["id"])["status"] == "failed":
            word = "failed"
    return fill(
        _PAYMENT,
        id=row["id"],
        amount=pounds(row["amount_total"]),
        state={"unpaid": "waiting for the bank", "failed": "refused by the bank"}.get(word, word),
        tone=_TONES.get(word, ""),
        name=", ".join(str(item["description"]) for item in items),
        email=(row["customer_details"] or {}).get("email") or "no e-mail",
        created=moment(row["created"]),
        to_control=fill(_TO_CONTROL, id=row["id"]) if actions is None else Safe(""),
        actions=actions or Safe(""),
    )


def _event(row: Row, delivery: Row) -> Safe:
    word = delivery["status"] if row["type"] in SUBSCRIBED else "not subscribed"
    attempts = len(delivery["attempts"])
    state_text = word.replace("_", " ") + (f" after {attempts} attempts" if attempts > 1 else "")
    resend = Safe("")
    if row["type"] in SUBSCRIBED:
        resend = _button("resend", "event", row["id"], "Send again")
    bad = word in UNDELIVERED and word != "waiting"
    return fill(
        _EVENT,
        type=row["type"],
        state=state_text,
        tone="bad" if bad else _TONES.get(word, ""),
        created=moment(row["created"]),
        about=row["data"]["object"]["id"][:24],
        resend=resend,
    )


def _actions(machine: Machine, row: Row) -> Safe:
    identifier = row["id"]
    if row["status"] == "expired":
        return Safe("")
    if row["status"] == "open":
        return _row([_button("expire", "session", identifier, "Let it expire")])
    charge = machine.account.charge_of(identifier)
    if charge["status"] == "pending":
        return _row(
            [
                _button("settle-later", "session", identifier, "Bank confirms", ok="yes"),
                _button("settle-later", "session", identifier, "Bank refuses", ok="no"),
            ]
        )
    parts = []
    if charge["status"] == "succeeded" and not charge["disputed"] and not charge["refunded"]:
        warning = _button("fraud-warning", "payment", identifier, "Fraud warning")
        dispute = fill(_DISPUTE, id=identifier, reasons=_options(REASONS))
        parts.append(_row([fill(_REFUND, id=identifier), dispute, warning]))
    store = machine.account.store
    with store.lock:
        refunds = [r for r in store.table("refunds").rows.values() if r["charge"] == charge["id"]]
        disputes = [d for d in store.table("disputes").rows.values() if d["charge"] == charge["id"]]
    parts += [_refund(refund) for refund in refunds]
    parts += [_dispute(dispute) for dispute in disputes]
    return joined(parts)


def _refund(refund: Row) -> Safe:
    actions = []
    if refund["status"] == "pending":
        actions.append(_button("refund-succeeds", "refund", refund["id"], "It arrives"))
    if refund["status"] in ("pending", "succeeded"):
        actions.append(_button("refund-fails", "refund", refund["id"], "It comes back"))
    return _thing(f"Refund of {pounds(refund['amount'])}", refund["status"], actions)


def _dispute(dispute: Row) -> Safe:
    actions = []
    if dispute["status"] == "needs_response":
        actions.append(_button("dispute-answer", "dispute", dispute["id"], "Send evidence"))
    if dispute["status"] in ("needs_response", "under_review"):
        actions.append(_button("dispute-close", "dispute", dispute["id"], "Won", won="yes"))
        actions.append(_button("dispute-close", "dispute", dispute["id"], "Lost", won="no"))
    return _thing(f"Dispute over {pounds(dispute['amount'])}", dispute["status"], actions)


def _payout(row: Row) -> Safe:
    actions = []
    if row["status"] == "paid":
        actions.append(_button("payout-fails", "payout", row["id"], "It comes back"))
    text = f"Payout of {pounds(row['amount'])}, {moment(row['created'])}"
    return _thing(text, row["status"], actions)


def _thing(text: str, word: str, actions: list[Safe]) -> Safe:
    tone = {"succeeded": "good", "paid": "good", "won": "good", "failed": "bad", "lost": "bad"}
    return fill(
        _THING,
        text=text,
        state=word.replace("_", " "),
        tone=tone.get(word, ""),
        actions=joined(actions),
    )


def _row(parts: list[Safe]) -> Safe:
    return fill('<div class="actions">{parts}</div>', parts=joined(parts))


def _button(action: str, name: str, value: str, label: str, **extra: str) -> Safe:
    hidden = [
        fill('<input type="hidden" name="{name}" value="{value}">', name=key, value=text)
        for key, text in extra.items()
    ]
    return fill(_BUTTON, action=action, name=name, value=value, extra=joined(hidden), label=label)


def _options(words: tuple[str, ...]) -> Safe:
    return joined(
        [
            fill('<option value="{word}">{text}</option>', word=word, text=word.replace("_", " "))
            for word in words
        ]
    )


def _faults(waiting: list[Fault]) -> Safe:
    lines = [
        fill(
            "<li>{kind} for {pattern}, {times}</li>",
            kind=fault.kind.replace("_", " "),
            pattern=fault.pattern,
            times="until cleared" if fault.times is None else f"{fault.times} to come",
        )
        for fault in waiting
    ]
    if not lines:
        return Safe('<p class="quiet">No faults are waiting.</p>')
    return fill("<ul>{lines}</ul>", lines=joined(lines))
