"""a project as startproject makes it, with templates, static files and fixtures in folders beside its package."""
# /// script
# dependencies = ["django"]
# [tool.compatibility]
# subset = true
# distribution = "django"
# ///

import os
import pathlib
import subprocess
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "bookshop.settings"
django.setup()

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command, get_commands
from django.test import Client

print(sorted(os.listdir(settings.BASE_DIR / "templates")), (settings.BASE_DIR / "static" / "css").is_dir())
call_command("migrate", verbosity=0)
call_command("loaddata", "books")
call_command("count")
print(get_commands()["count"], Client().get("/").content.decode())
print(Client().get("/admin/login/").status_code, [finders.find(name) is not None for name in ("css/site.css", "no")])
call_command("collectstatic", interactive=False, verbosity=0)
collected = pathlib.Path("collected")
names = sorted(path.relative_to(collected).as_posix() for path in collected.rglob("*") if path.is_file())
print(len(names), [name for name in names if not name.startswith("admin/")])
for arguments in (["check"], ["makemigrations", "--check", "--dry-run"], ["showmigrations", "catalogue"], ["count"]):
    result = subprocess.run([sys.executable, "-m", "manage", *arguments], capture_output=True, text=True)
    print(arguments, result.returncode, result.stdout, result.stderr)
