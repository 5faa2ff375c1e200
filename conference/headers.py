"""The content security policy of the door's decoding worker."""

from wsgiref.headers import Headers

# A worker has the policy of its own response, not that of the page. It may load the QR reader's
# script, fetch its WebAssembly from our site and run it, and nothing else.
WORKER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def add_headers(headers: Headers, path: str, url: str) -> None:
    """For WHITENOISE_ADD_HEADERS_FUNCTION: `url` is a static file's address, hashed or not."""
    name = url.rsplit("/", 1)[-1]
    if "/tickets/door/" in url and name.startswith("decoder.") and name.endswith(".js"):
        headers["Content-Security-Policy"] = WORKER_POLICY
