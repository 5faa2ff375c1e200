"""Two tables: places that are left, and who took them."""

from django.db import models


class Stock(models.Model):
    """How many places are left; one row."""

    name = models.CharField(max_length=100)
    left = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name


class Booking(models.Model):
    """Who took a place."""

    name = models.CharField(max_length=200)
    email = models.EmailField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
