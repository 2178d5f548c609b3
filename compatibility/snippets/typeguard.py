"""its import hook, which checks the types of a whole package: click."""
# /// script
# dependencies = ["typeguard", "click"]
# [tool.compatibility]
# unpack = true
# ///

from typeguard import TypeCheckError, install_import_hook

with install_import_hook("click"):
    import click

print(type(click.__spec__.loader).__name__, type(click.utils.__spec__.loader).__name__)
for call in (lambda: click.get_app_dir(1), lambda: click.unstyle(2), lambda: click.unstyle("b")):
    try:
        print(call())
    except TypeCheckError as error:
        print(type(error).__name__, error)
