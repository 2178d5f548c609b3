"""an extension module that switches C stacks; exceptions and context variables across them."""
# /// script
# dependencies = ["greenlet"]
# [tool.compatibility]
# subset = true
# ///

import contextvars
import threading

import greenlet

trail = []
variable = contextvars.ContextVar("variable", default="outer")


def ping():
    variable.set("inner")
    trail.append(pong_let.switch("from ping"))
    raise KeyError(variable.get())


def pong(value):
    trail.append(value)
    ping_let.switch("from pong")


ping_let, pong_let = greenlet.greenlet(ping), greenlet.greenlet(pong)
ping_let.gr_context = contextvars.copy_context()
try:
    ping_let.switch()
except KeyError as error:
    print(repr(error))
print(trail, variable.get(), ping_let.dead, pong_let.dead)
thread = threading.Thread(target=lambda: print(greenlet.greenlet(lambda: "in a thread").switch()))
thread.start()
thread.join()
