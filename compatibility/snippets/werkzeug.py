"""the debugger's pages and files in the package, shared data of another package, routing."""
# /// script
# dependencies = ["werkzeug", "sphinx"]
# ///

import re

from werkzeug import _reloader
from werkzeug.debug import DebuggedApplication
from werkzeug.debug.tbtools import DebugTraceback
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.routing import Map, Rule
from werkzeug.test import Client
from werkzeug.wrappers import Response


def failing(environ, start_response):
    Map([Rule("no-slash")])


debugged = Client(DebuggedApplication(failing))
response = debugged.get("/", headers={"Host": "localhost"})
print(response.status_code, re.findall(r"<title>(.*?)\n?\s*//", response.text), response.text.count('class="frame"'))
for name in ("style.css", "debugger.js", "console.png", "nothing"):
    print(name, debugged.get(f"/?__debugger__=yes&cmd=resource&f={name}", headers={"Host": "localhost"}).status_code)
shared = Client(
    SharedDataMiddleware(
        Response("app"), {"/shared": ("werkzeug", "debug/shared"), "/s": ("sphinx", "themes/basic/static")}
    )
)
print(
    len(shared.get("/shared/style.css").text) > 1000, shared.get("/s/doctools.js").mimetype, shared.get("/other").text
)
try:
    failing(None, None)
except ValueError as error:
    print(DebugTraceback(error).render_traceback_text())
print(Map([Rule("/<int:n>", endpoint="e")]).bind("h").match("/5"), _reloader.reloader_loops["stat"].__name__)
