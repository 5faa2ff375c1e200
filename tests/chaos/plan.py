"""How long a drill lasts, how many book, and what each of them wants."""

import random
from dataclasses import asdict, dataclass, field
from typing import Any

GIFTS = (500, 1500, 3000)  # pence; what the form offers


@dataclass(frozen=True)
class Plan:
    """One drill. The same seed gives the same visitors and the same order of kills."""

    seconds: float  # in which people come and parts are killed
    bookings: int
    seed: int
    at_once: int = 6  # people who book at the same time
    between_kills: tuple[float, float] = (0.3, 2.0)  # seconds, at least and at most
    longest: float = 4.0  # seconds for which a part hangs, or is away
    quiet_within: float = 300.0  # seconds from the last kill until all is done

    @property
    def few_places(self) -> int:
        """Of the kind that a fifth of all ask for: fewer than they want."""
        return max(self.bookings // 10, 2)

    @property
    def ample_places(self) -> int:
        return 3 * self.bookings


@dataclass
class Booking:
    """What somebody wants, and what they were told."""

    email: str
    people: int
    wants_few: bool
    gift_pence: int
    presses_twice: bool
    is_declined_first: bool  # the card, at Stripe
    abandons: bool  # leaves Stripe's page without paying
    never_returns: bool  # pays, and closes the browser
    # 'coming': the order's page has the tickets. 'kept': an order or Stripe's page was shown.
    # 'no': sold out. Empty: no answer, however often the form was sent.
    told: str = ""
    has_asked: bool = False
    has_paid: bool = False  # Stripe said so
    # What was shown in place of an answer, and how often: statuses, 'no line', 'too slow'.
    trouble: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def bookings(plan: Plan) -> list[Booking]:
    """Everybody who comes, each with an address of their own."""
    chance = random.Random(plan.seed)
    return [_booking(number, chance) for number in range(plan.bookings)]


def _booking(number: int, chance: random.Random) -> Booking:
    gives = chance.random() < 0.5
    return Booking(
        email=f"visitor{number}@example.org",
        people=chance.choice((1, 1, 2)),
        wants_few=chance.random() < 0.2,
        gift_pence=chance.choice(GIFTS) if gives else 0,
        presses_twice=chance.random() < 0.15,
        is_declined_first=gives and chance.random() < 0.1,
        abandons=gives and chance.random() < 0.15,
        never_returns=gives and chance.random() < 0.3,
    )
