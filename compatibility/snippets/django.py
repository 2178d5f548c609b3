"""migrations, the admin's pages, German translations, static files, commands and their templates."""
# /// script
# dependencies = ["django"]
# [tool.compatibility]
# subset = true
# ///

import pathlib
import re
import subprocess
import sys

import django
from django.conf import settings
from django.contrib import admin
from django.urls import path

settings.configure(
    DEBUG=True,
    SECRET_KEY="x",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        f"django.contrib.{name}"
        for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles", "humanize")
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="/static/",
    STATIC_ROOT="static",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
urlpatterns = [path("admin/", admin.site.urls)]

from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.utils import formats, translation

call_command("migrate", verbosity=0)
User.objects.create_superuser("root", "root@example.org", "secret")
client = Client(headers={"accept-language": "de"})
print(re.findall(r"<title>(.*?)</title>", client.get("/admin/login/").content.decode()))
client.login(username="root", password="secret")
for url in ("/admin/", "/admin/auth/user/", "/admin/auth/user/1/change/", "/admin/jsi18n/"):
    response = client.get(url)
    print(
        url,
        response.status_code,
        len(response.content) > 1000,
        re.findall(r"<title>(.*?)</title>", response.content.decode()),
    )
print(client.get("/admin/auth/user/nothing/change/").status_code, client.get("/nothing").status_code)
for language in ("de", "fr", "ja"):
    with translation.override(language):
        print(
            translation.gettext("Password"),
            formats.date_format(User.objects.get().date_joined.replace(2024, 2, 28), "F"),
        )
print(finders.find("admin/css/base.css") is not None)
call_command("collectstatic", interactive=False, verbosity=0)
print(sum(path.is_file() for path in pathlib.Path("static").rglob("*")) > 100)
print(
    subprocess.run([sys.executable, "-m", "django", "startproject", "site1"]).returncode,
    sorted(path.name for path in pathlib.Path("site1").rglob("*.py")),
)
result = subprocess.run([sys.executable, "site1/manage.py", "check"], capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
call_command("makemigrations", "auth", check=True, dry_run=True)
print(len(settings.LANGUAGES) > 90, formats.number_format(1234567.8, use_l10n=True, force_grouping=True))
