"""The Bulletin's pages."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from conference.errors import TooOften
from conference.limits import LONGEST_WAIT, NOTICEABLE_WAIT, Limit, network_of, take, take_turn
from signup import actions, links
from signup.forms import SignUpForm
from signup.models import Consent, Edition
from signup.tasks import sign_up

# The pace of sign-ups in an hour, from one network and in all: what exceeds it waits in line.
FROM_A_NETWORK = 200  # a whole hall, once the Bulletin was announced on stage
FOR_THE_SITE = 500
FOR_AN_ADDRESS = 3  # in a day
# One form is sent once, and perhaps again after 'Back'; a program would like to use it for ever.
TIMES_FOR_A_FORM = 3


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bulletin(request: HttpRequest) -> HttpResponse:
    """Sign-up form and archive. A valid form gets the same response for every address."""
    sent = request.POST if request.method == "POST" else None
    form = SignUpForm(sent, source=Consent.Source.BULLETIN_PAGE)
    if form.is_valid():
        now = timezone.now()
        if take(Limit("signup form", form.made, TIMES_FOR_A_FORM, timedelta(days=1)), now=now):
            wait = _accept(request, form, now)
            return render(request, "signup/done.html", {"is_late": wait > NOTICEABLE_WAIT})
        form.refuse_as_used_up()
    editions = Edition.objects.published(timezone.now()).defer("body", "body_html")
    context = {"signup_form": form, "editions": editions}
    return render(request, "signup/bulletin.html", context)


@require_safe
def edition(request: HttpRequest, number: int) -> HttpResponse:
    """One edition, for anyone to read."""
    published = Edition.objects.published(timezone.now())
    shown = get_object_or_404(published, number=number)
    others = published.defer("body", "body_html")
    return render(
        request,
        "signup/edition.html",
        {
            "edition": shown,
            "previous": others.filter(number__lt=number).first(),
            "next": others.filter(number__gt=number).last(),
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The page of the mail's button. Only the POST confirms, because mail scanners open links."""
    state = "asked"
    try:
        subscriber = links.subscriber_to_confirm(token)
        if request.method == "POST":
            subscriber = actions.confirm(subscriber=subscriber, now=timezone.now())
        if subscriber.status == subscriber.Status.CONFIRMED:
            state = "confirmed"
        elif subscriber.status != subscriber.Status.PENDING:
            state = "expired"
    except links.BadLink:
        state = "expired"
    return _private(render(request, "signup/confirm.html", {"state": state}))


@csrf_exempt  # RFC 8058: the mail program posts without our cookie; the token is the proof
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribe: a page with a button, and the one-click POST of mail programs."""
    state = "asked"
    if request.method == "POST":
        is_one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        source = Consent.Source.ONE_CLICK if is_one_click else Consent.Source.UNSUBSCRIBE_PAGE
        # An invalid link gets the same response: that person is not on the list.
        with suppress(links.BadLink):
            actions.unsubscribe(
                subscriber=links.subscriber_to_unsubscribe(token),
                source=source,
                now=timezone.now(),
            )
        state = "done"
    return _private(render(request, "signup/unsubscribe.html", {"state": state}))


def _accept(request: HttpRequest, form: SignUpForm, now: datetime) -> timedelta:
    """Enqueue a sign-up, unless it is over the address's limit; return how long it has to wait.

    Raises TooOften if that would be longer than LONGEST_WAIT.
    """
    hour, day = timedelta(hours=1), timedelta(days=1)
    wait = take_turn(Limit("signup", network_of(request), FROM_A_NETWORK, hour), now=now)
    if not wait:
        # Only this, so that one network cannot make the others wait.
        wait = take_turn(Limit("signup", "the whole site", FOR_THE_SITE, hour), now=now)
        # The site as a whole refuses nobody: whoever fills its line must not shut it for others.
        wait = min(wait, LONGEST_WAIT)
    if wait > LONGEST_WAIT:
        raise TooOften
    data = form.cleaned_data
    if take(Limit("signup", data["email"], FOR_AN_ADDRESS, day), now=now):
        sign_up.using(run_after=now + wait if wait else None).enqueue(
            data["email"],
            data["first_name"],
            data["last_name"],
            data["source"] or Consent.Source.BULLETIN_PAGE.value,
            now.isoformat(),
        )
    return wait


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "same-origin"  # 'no-referrer' makes browsers hide the Origin
    response["X-Robots-Tag"] = "noindex"
    return response
