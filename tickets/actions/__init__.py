"""Everything that can be done with places, orders and tickets."""

from tickets.actions.booking import (
    AlreadyConfirmed,
    Closed,
    NotReserved,
    Place,
    expire,
    on_gift_received,
    reserve,
    retake,
    set_gift,
    start_payment,
    take_without_gift,
)
from tickets.actions.changes import (
    TooLate,
    cancel_order,
    cancel_ticket,
    correct_email,
    correct_name,
    reissue,
    resend,
)
from tickets.actions.entry import CannotUndo, Result, scan, undo
from tickets.actions.erasing import StillToCome, erase_person
from tickets.actions.places import PlacesLeft, SoldOut, places_left

__all__ = [
    "AlreadyConfirmed",
    "CannotUndo",
    "Closed",
    "NotReserved",
    "Place",
    "PlacesLeft",
    "Result",
    "SoldOut",
    "StillToCome",
    "TooLate",
    "cancel_order",
    "cancel_ticket",
    "correct_email",
    "correct_name",
    "erase_person",
    "expire",
    "on_gift_received",
    "places_left",
    "reissue",
    "resend",
    "reserve",
    "retake",
    "scan",
    "set_gift",
    "start_payment",
    "take_without_gift",
    "undo",
]
