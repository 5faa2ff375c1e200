from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        """Have the settlement confirm the order for which a gift has arrived."""
        from donations import settlement
        from tickets.actions import on_gift_received

        settlement.register(on_gift_received)
