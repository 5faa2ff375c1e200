"""The policy of the door's decoding worker, which is not that of the page that starts it."""

from wsgiref.headers import Headers

# A worker obeys the policy of its own response. It may load the reader's script, fetch its
# WebAssembly from us and run it, and nothing else.
WORKER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def add_headers(headers: Headers, path: str, url: str) -> None:
    """For WHITENOISE_ADD_HEADERS_FUNCTION: `url` is a static file's address, hashed or not."""
    name = url.rsplit("/", 1)[-1]
    if "/tickets/door/" in url and name.startswith("decoder.") and name.endswith(".js"):
        headers["Content-Security-Policy"] = WORKER_POLICY
