from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConferenceConfig(AppConfig):
    name = "conference"


class ConfigurationConfig(admin_apps.AdminConfig):
    """Django's admin with our own log-in: INSTALLED_APPS names it in Django's place."""

    default = False
    default_site = "conference.pages.configuration.ConfigurationSite"
