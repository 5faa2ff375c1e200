"""Who looks at the desk and at the settings."""

import pytest
from django.test import Client

from conference.models import User
from tests.factories import make_user


@pytest.fixture
def organiser(db: None) -> User:
    """Olive, an organiser."""
    return make_user("organiser", email="olive@example.org", first_name="Olive", may_configure=True)


@pytest.fixture
def settings_pages(client: Client, organiser: User) -> Client:
    """A browser in which Olive is logged in."""
    client.force_login(organiser)
    return client
