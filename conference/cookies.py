"""The cookie that carries a short message to the next page."""

from django.contrib.messages.storage.cookie import CookieStorage


class HostMessages(CookieStorage):
    """Django's own, with a name that binds the cookie to this very host over HTTPS.

    Browsers accept a cookie with `__Host-` in its name only from HTTPS, without a domain and for
    all paths; so no neighbouring subdomain can plant one here. Django has settings for the names
    of its other cookies, but none for this one.
    """

    cookie_name = "__Host-messages"
