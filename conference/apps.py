from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConferenceConfig(AppConfig):
    name = "conference"


class ConfigurationConfig(admin_apps.AdminConfig):
    """Django's admin with our own log-in, listed in INSTALLED_APPS instead of Django's."""

    default = False
    default_site = "conference.pages.configuration.ConfigurationSite"
