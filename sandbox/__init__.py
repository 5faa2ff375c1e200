"""A local stand-in for Stripe, to develop and test against: API, payment page and Dashboard.

Tests need no network and move no money. Here Stripe's own SDK finds an API to call over
HTTP, a browser finds a page to pay on, and the site is sent signed webhooks. It follows Stripe's
API version 2026-10-28.endive. It imports the standard library alone, neither the SDK nor the
site's code, so that it cannot share a mistake with what is tested against it. No money moves.

    python -m sandbox                   runs it as a process (see `__main__`)
    sandbox.server.start(...)           runs it in threads of this process, for tests

From the bottom up:

    errors                              Stripe's error envelope
    params, shapes                      reads and checks form bodies; what each call takes
    objects, money_objects              Stripe's objects, field by field
    store, clock                        rows in memory, a journal on disk; a movable clock
    events, account                     what happened, with signatures; the account and its rows
    checkout, refunds, disputes, payouts    what changes those rows
    expand, lists                       turns rows into answers
    faults, idempotency                 wanted errors; answers kept by idempotency key
    calls, api                          the calls under /v1; one call from request to answer
    courier                             sends webhooks and retries them
    machine                             all of it in one object, without HTTP
    html, hosted, board, control, site  the pages for people and what their buttons do
    server                              HTTP for both
"""
