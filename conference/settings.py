"""Every setting, read from the environment and checked while it is read.

A bare checkout runs as a trial: SQLite, the local Stripe, mail kept in a local outbox. As soon as
one setting of a real site is given (a secret key, a database, hosts, a Stripe key), it is no trial
unless TRIAL=1 is set, and all that a real site needs must be set too. A trial also makes its own
keys, has the sample log-ins and does without HTTPS. Error pages, logging and middleware are those
of a real site.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.contrib.messages import constants as messages
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host
from environs import Env

from conference.headers import add_headers
from conference.keys import keep_private, secret_key, signing_keys

env = Env()

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", "") or ROOT / "data").resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

_SIGNS_OF_A_REAL_SITE = ("SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS", "STRIPE_SECRET_KEY")
TRIAL = env.bool("TRIAL", default=not any(env.str(name, "") for name in _SIGNS_OF_A_REAL_SITE))
DEBUG = env.bool("DEBUG", False)
if DEBUG and not TRIAL:
    raise ImproperlyConfigured("DEBUG goes with TRIAL=1 alone: it shows strangers what is inside.")

# What deploy/hosting/environment.example leaves to be filled in.
_PLACEHOLDERS = ("YOUR.SITE", "USER:PASSWORD", ":PASSWORD@", "MAIL.HOST", "DATABASE.HOST")
_MAY_HOLD_ONE = ("BASE_URL", "EMAIL_URL", "TICKETS_FROM", "BULLETIN_FROM", "SECURITY_CONTACT")
for _name in (*_SIGNS_OF_A_REAL_SITE, *_MAY_HOLD_ONE):
    if not TRIAL and any(word in env.str(_name, "") for word in _PLACEHOLDERS):
        raise ImproperlyConfigured(f"{_name} still holds a placeholder. Fill it in.")


def _needed(name: str, in_a_trial: str) -> str:
    """The variable's value, or a default in a trial. Raises ImproperlyConfigured without either."""
    value = env.str(name, "")
    if value or TRIAL:
        return value or in_a_trial
    raise ImproperlyConfigured(f"Set {name}. (Without it this site cannot be run for real.)")


def _check_password_is_encoded(name: str) -> None:
    """Raise ImproperlyConfigured if a URL's password has a character that cuts it off.

    What follows then looks like a path, a query or a fragment, but has the '@' before the host.
    """
    scheme, _, rest = env.str(name, "").partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest.removeprefix(authority).partition("?")
    after = "" if scheme == "sqlite" else path + query.partition("=")[0]
    _host, colon, port = authority.rpartition(":")
    is_cut_off = "@" not in authority and "@" in rest and colon and not port.isdecimal()
    if is_cut_off or "@" in after or "#" in after or authority.count("@") > 1:
        raise ImproperlyConfigured(
            f"{name} has one of / ? # @ in its user name or password. "
            "Percent-encode it: %2F %3F %23 %40."
        )


def _is_this_machine(host: str) -> bool:
    """Whether mail to this host stays on the machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_check_password_is_encoded("EMAIL_URL")
_check_password_is_encoded("DATABASE_URL")

# Where the site is
PORT = env.int("PORT", 8000)
SANDBOX_PORT = env.int("SANDBOX_PORT", PORT + 1)
BASE_URL = _needed("BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if TRIAL else [])
CSRF_TRUSTED_ORIGINS = [BASE_URL]
if not TRIAL and not BASE_URL.startswith("https://"):
    raise ImproperlyConfigured("BASE_URL must begin with https://. (Only a trial does without.)")
if not TRIAL and not validate_host(urlsplit(BASE_URL).hostname or "", ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the host of BASE_URL, or nobody gets in.")
if not TRIAL and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must not hold *: name the site's own hosts.")

# Keys
SECRET_KEY = env.str("SECRET_KEY", "") or secret_key(DATA_DIR / "keys", may_create=TRIAL)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", [])
TICKET_SIGNING_KEYS = signing_keys(
    env.str("TICKET_SIGNING_KEYS", ""), DATA_DIR / "keys", may_create=TRIAL
)

# Stripe
STRIPE_HOME = "https://api.stripe.com"
STRIPE_API_BASE = env.str(
    "STRIPE_API_BASE", f"http://127.0.0.1:{SANDBOX_PORT}" if TRIAL else STRIPE_HOME
).rstrip("/")
STRIPE_SECRET_KEY = _needed("STRIPE_SECRET_KEY", "sk_test_local")
STRIPE_WEBHOOK_SECRET = _needed("STRIPE_WEBHOOK_SECRET", "whsec_local")
STRIPE_LIVE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
STRIPE_TEST_MODE = env.bool("STRIPE_TEST_MODE", False)
if not TRIAL and STRIPE_API_BASE != STRIPE_HOME:
    raise ImproperlyConfigured("STRIPE_API_BASE must be Stripe's own address outside a trial.")
if not TRIAL and not STRIPE_LIVE and not STRIPE_TEST_MODE:
    raise ImproperlyConfigured(
        "STRIPE_SECRET_KEY is not a live key. For a rehearsal with Stripe's test mode, "
        "say so with STRIPE_TEST_MODE=1."
    )
if STRIPE_LIVE and (TRIAL or STRIPE_TEST_MODE):
    raise ImproperlyConfigured("A live Stripe key goes with neither TRIAL nor STRIPE_TEST_MODE.")

# Mail
MAIL_IS_KEPT_LOCALLY = TRIAL and not env.str("EMAIL_URL", "")
_EMAIL_URL_READS = "EMAIL_URL must read submission://USER:PASSWORD@HOST:PORT."
try:
    _email = urlsplit(_needed("EMAIL_URL", "smtp://localhost:25"))
    _ = _email.port
except ValueError as error:
    raise ImproperlyConfigured(f"{_EMAIL_URL_READS} {error}.") from error
_PORTS = {"submission": 587, "smtps": 465, "smtp": 25}
if _email.scheme not in _PORTS:
    raise ImproperlyConfigured(
        "EMAIL_URL must begin with submission:// (STARTTLS), smtps:// (TLS) or smtp://."
    )
if not _email.hostname or _email.path.strip("/") or _email.query:
    raise ImproperlyConfigured(_EMAIL_URL_READS)
if not TRIAL and _email.scheme == "smtp" and not _is_this_machine(_email.hostname):
    raise ImproperlyConfigured(
        "EMAIL_URL begins with smtp://, which would send people's names and the links to their "
        "tickets unencrypted to another machine. Use submission:// or smtps://."
    )
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = _email.hostname
EMAIL_PORT = _email.port or _PORTS[_email.scheme]
EMAIL_HOST_USER = unquote(_email.username or "")
EMAIL_HOST_PASSWORD = unquote(_email.password or "")
EMAIL_USE_TLS = _email.scheme == "submission"
EMAIL_USE_SSL = _email.scheme == "smtps"
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = _needed("TICKETS_FROM", "Tickets <tickets@example.org>")
BULLETIN_FROM = _needed("BULLETIN_FROM", "The Bulletin <bulletin@example.org>")

# Database
DATABASES = {
    "default": env.dj_db_url(
        "DATABASE_URL", f"sqlite:///{DATA_DIR / 'db.sqlite3'}", conn_max_age=600
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    keep_private(Path(DATABASES["default"]["NAME"]))
    DATABASES["default"]["OPTIONS"] = {
        # A writer takes the lock when its transaction begins, so what it has counted stays true
        # until it commits: what select_for_update gives on PostgreSQL.
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,  # seconds
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; PRAGMA cache_size=-8000",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Prepared statements: PostgreSQL parses and plans a statement once for each connection. Options
    # in DATABASE_URL take precedence: a pooler without prepared statements needs
    # ?prepare_threshold=1000000000.
    DATABASES["default"]["OPTIONS"] = {
        "server_side_binding": True,
        "prepare_threshold": 5,
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

INSTALLED_APPS = [
    "conference",
    "signup",
    "donations",
    "tickets",
    "conference.apps.ConfigurationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_tasks",
    "django_tasks_db",
    "django.forms",
    "crispy_forms",
    "csp",
]

MIDDLEWARE = [
    # First, so that static files, redirects to HTTPS and refused hosts have their headers too.
    "conference.headers.on_every_answer",
    "csp.middleware.CSPMiddleware",
    "conference.health.asked_by_address",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "conference.errors.branded_errors",
]
# For the benchmarks only: the number of statements may reveal who is registered.
if TRIAL and env.bool("SERVER_TIMING", False):
    MIDDLEWARE.insert(0, "conference.timing.server_timing")

ROOT_URLCONF = "conference.urls"
WSGI_APPLICATION = "conference.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "conference.context.site",
            ],
        },
    }
]
# Forms are rendered by templates/django/forms/; Django and crispy both use its field.html.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_TEMPLATE_PACK = "django/forms"

# People who log in: organisers and door volunteers
AUTH_USER_MODEL = "conference.User"
AUTHENTICATION_BACKENDS = ["conference.pages.log_in.WithoutSamples"]
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
    {"NAME": "conference.passwords.NotOurWords"},
]
PASSWORD_RESET_TIMEOUT = 60 * 60  # seconds
LOGIN_URL = "conference:login"
LOGIN_REDIRECT_URL = "conference:after_login"
SESSION_COOKIE_AGE = 14 * 60 * 60  # a long day at the door
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # scripts read the token from the form
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "conference.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
# The style sheet's names for the kinds of notice.
MESSAGE_TAGS = {messages.SUCCESS: "good", messages.WARNING: "caution", messages.ERROR: "danger"}

# Language and time
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True
# Every text is marked for translation; CONTRIBUTING.md says what another language takes.
LANGUAGES = [("en-gb", "English")]

# Files
STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "build" / "static"
STATICFILES_DIRS = [path for path in (ROOT / "build" / "assets",) if path.exists()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "conference.static_storage.HashedStaticFiles"},
}
WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = False
WHITENOISE_MAX_AGE = 60
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = add_headers
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
FONTS = ROOT / "build" / "fonts"

# Pages may load from our own site alone. Chromium applies form-action to the redirect after a
# form as well, so it includes Stripe's page.
_CHECKOUT = "https://checkout.stripe.com" if STRIPE_API_BASE == STRIPE_HOME else STRIPE_API_BASE
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'", _CHECKOUT],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not TRIAL:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 365 * 24 * 60 * 60)
    # These two concern a whole domain, which may have other sites on it; and the list of browsers
    # that know them beforehand is hard to leave. The one who owns the domain has to ask for them.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", False)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", False)
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # that these two are off
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # No subdomain can plant a cookie of such a name. Browsers take it over HTTPS alone.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    MESSAGE_STORAGE = "conference.cookies.HostMessages"
# For /.well-known/security.txt: mailto:, https: or tel:. Without it, the organisation's address.
SECURITY_CONTACT = env.str("SECURITY_CONTACT", "")
if SECURITY_CONTACT and not re.fullmatch(r"(mailto:|https://|tel:)\S+", SECURITY_CONTACT):
    raise ImproperlyConfigured("SECURITY_CONTACT must begin with mailto:, https:// or tel:.")
# How many proxies of ours are in front of the web server.
PROXIES = env.int("PROXIES", 0)
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Bytes of a form without its files. Only the admin takes files: pictures and PDFs.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# Rate limits are multiplied by this for the benchmarks, which come from one address.
LIMIT_FACTOR = env.int("LIMIT_FACTOR", 1) if TRIAL else 1

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_secrets": {"()": "conference.errors.WithoutSecrets"}},
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        }
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["no_secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": env.log_level("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "stripe": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},
        "django_tasks_db": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
        "waitress": {"level": "ERROR"},
    },
}
