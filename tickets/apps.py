from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        """Register the function that confirms an order when its donation has arrived."""
        # Both import models, which are not loaded before.
        from donations import settlement  # noqa: PLC0415 (see above)
        from tickets.actions import on_gift_received  # noqa: PLC0415 (see above)

        settlement.register(on_gift_received)
