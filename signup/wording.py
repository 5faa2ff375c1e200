"""The texts that people agree to. Each consent stores the text and its version.

A changed text needs a new version.
"""

from django.utils.translation import gettext

PRIVACY_VERSION = "2026-11-26"
WORDING_VERSION = "2026-11"


def form_wording() -> str:
    """What the Bulletin's own form says."""
    return gettext(
        "Please send me the Bulletin by e-mail. I can unsubscribe at any time with the link "
        "in every issue."
    )


def box_wording() -> str:
    """What the unticked box on the ticket form says."""
    return gettext(
        "Please also send me the Bulletin, the network's newsletter by e-mail. I can "
        "unsubscribe at any time. My ticket does not depend on this."
    )
