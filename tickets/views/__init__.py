"""The pages of the conference and of an order."""
