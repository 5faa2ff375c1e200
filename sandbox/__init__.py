"""A local Stripe: enough of the API, the hosted page and the Dashboard to build and test against.

Stripe cannot be reached from a development machine or from CI. This package stands in for it: the
real SDK talks to it over HTTP, a browser pays on its page, and it signs and sends webhooks. It
speaks API version 2026-10-28.endive and uses the standard library alone, so that a mistake shared
with the SDK or with our own code would show. It moves no money and must never face the internet.

    errors      Stripe's error envelope                 params      form bodies, read and checked
    shapes      which parameters each call takes        objects, money_objects
                                                                    Stripe's objects, by field
    store       rows in memory, journal on disk         clock       a clock that can be moved
    account     the one account that is imitated        checkout    sessions and how they are paid
    refunds, disputes, payouts                          what moves money afterwards
    expand, lists                                       how answers are rendered
    events      what happened, and signatures           courier     sends webhooks, with retries
    faults      what shall go wrong                     idempotency answers kept by key
    calls       the calls under /v1                     api         one call from end to end
    html, site, hosted, board                           the pages for people
    control     what people click and tests post        machine     all of it in one object
    server      HTTP, and `start()`
"""
