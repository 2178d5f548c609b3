"""its import hook, which checks the types of a whole package: click; types checked of functions and values."""
# /// script
# dependencies = ["beartype", "click"]
# [tool.compatibility]
# unpack = true
# ///

import beartype
from beartype.claw import beartype_package
from beartype.door import die_if_unbearable, is_bearable
from beartype.roar import BeartypeCallHintViolation, BeartypeDoorHintViolation

beartype_package("click")
import click


@beartype.beartype
def double(value: int) -> int:
    return value * 2


print(type(click.__spec__.loader).__name__, type(click.utils.__spec__.loader).__name__)
for call in (lambda: click.get_app_dir(1), lambda: click.unstyle(2), lambda: double("a"), lambda: double(2)):
    try:
        print(call())
    except BeartypeCallHintViolation as error:
        print(type(error).__name__, str(error).splitlines()[0])
print(is_bearable([1, 2], list[int]), is_bearable(["a"], list[int]))
try:
    die_if_unbearable("a", int)
except BeartypeDoorHintViolation as error:
    print(type(error).__name__, error)
