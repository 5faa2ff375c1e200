from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        """Have the settlement confirm the order for which a donation has arrived."""
        # Both import models, which exist only once all apps are set up.
        from donations import settlement  # noqa: PLC0415 (see above)
        from tickets.actions import on_gift_received  # noqa: PLC0415 (see above)

        settlement.register(on_gift_received)
