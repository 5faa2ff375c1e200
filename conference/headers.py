"""What a page may use, who may embed it, how long each response is; the decoding worker's policy.

django-permissions-policy sets the first of the two. With the second we need a middleware anyway.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from wsgiref.headers import Headers

from django.conf import settings
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]

# What browsers let a page use of the device, the person and the advertisers. Chromium complains
# about names that it does not know.
_FEATURES = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "captured-surface-control"),
    *("clipboard-read", "clipboard-write", "compute-pressure", "digital-credentials-create"),
    *("digital-credentials-get", "display-capture", "encrypted-media", "fullscreen", "gamepad"),
    *("geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection"),
    *("keyboard-map", "local-fonts", "local-network-access", "magnetometer", "microphone", "midi"),
    *("on-device-speech-recognition", "otp-credentials", "payment", "picture-in-picture"),
    *("publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial"),
    *("speaker-selection", "storage-access", "usb", "window-management", "xr-spatial-tracking"),
)
# A worker has the policy of its own response, not that of the page. It may load the QR reader's
# script, fetch its WebAssembly from our site and run it, and nothing else.
WORKER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def permissions(*allowed: str) -> str:
    """The Permissions-Policy that lets our own pages use these features, and nothing else."""
    return ", ".join(f"{name}=({'self' if name in allowed else ''})" for name in _FEATURES)


NOTHING = permissions()
# The camera reads codes, the screen stays on meanwhile, and a tone says who may come in.
SCANNER = permissions("camera", "screen-wake-lock", "autoplay")


def on_every_answer(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: responses may use no feature of the device unless their view allows it, and only
    our own pages may load them.

    Other sites' pages cannot embed any of them. Programs that make previews of links fetch the
    conference's picture by themselves, and no browser asks on their behalf.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # A kilobyte that files need not carry: a browser obeys that of the page.
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Permissions-Policy", NOTHING)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # Django's CommonMiddleware sees no answer of a middleware before it. Without a length the
        # server would end a HEAD by an empty chunk, which belongs to the next answer on the line.
        if not response.streaming and response.status_code != HTTPStatus.NOT_MODIFIED:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    return middleware


def for_scanning(view: View) -> View:
    """A page that may use the camera."""

    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Permissions-Policy"] = SCANNER
        return response

    return page


def add_headers(headers: Headers, path: str, url: str) -> None:
    """For WHITENOISE_ADD_HEADERS_FUNCTION: `url` is a static file's address, hashed or not."""
    name = url.rsplit("/", 1)[-1]
    if "/tickets/door/" in url and name.startswith("decoder.") and name.endswith(".js"):
        headers["Content-Security-Policy"] = WORKER_POLICY
