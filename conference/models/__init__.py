"""Organisation, conference, people, mail, and what is written down of the service's running."""

from conference.models.conferences import (
    RESERVED_SLUGS,
    Conference,
    Organisation,
    validate_presets,
    validate_slug_is_free,
    validate_timezone,
)
from conference.models.mails import Mail, MailAttachment
from conference.models.people import User
from conference.models.records import Allowance, AuditEntry, Heartbeat, Restore

__all__ = [
    "RESERVED_SLUGS",
    "Allowance",
    "AuditEntry",
    "Conference",
    "Heartbeat",
    "Mail",
    "MailAttachment",
    "Organisation",
    "Restore",
    "User",
    "validate_presets",
    "validate_slug_is_free",
    "validate_timezone",
]
