"""What migrations do with rows that are there already."""

from importlib import import_module

import pytest
from django.apps import apps

from conference.models import User
from tests.factories import make_user


@pytest.mark.django_db
def test_organisers_keep_the_settings_and_nobody_stays_a_superuser() -> None:
    before = {
        "organiser": make_user("organiser", may_configure=True, is_superuser=True),
        "without the settings": make_user("organiser"),
        "staff of Django's alone": make_user("organiser", may_configure=True),
        "volunteer": make_user("volunteer", may_configure=True, is_superuser=True),
    }
    migration = import_module("conference.migrations.0007_who_may_configure")
    migration.keep_the_rights_of_organisers(apps, None)
    after = {who: User.objects.get(pk=user.pk) for who, user in before.items()}
    assert [who for who, user in after.items() if user.may_configure] == ["organiser"]
    assert [who for who, user in after.items() if user.is_superuser] == []
