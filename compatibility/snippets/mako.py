"""templates compiled to modules, inheritance, error reports that show the template's lines, its command line."""

import pathlib
import subprocess
import sys

from mako import exceptions
from mako.lookup import TemplateLookup
from mako.template import Template

pathlib.Path("base.html").write_text("<${self.body()}>")
pathlib.Path("page.html").write_text('<%inherit file="base.html"/>\n% for x in items:\n${x | h}\n% endfor\n')
pathlib.Path("bad.html").write_text("one\n${1 // 0}\n")
lookup = TemplateLookup(["."], module_directory="modules")
print(
    lookup.get_template("page.html").render(items=["<", 2]), Template("${x}", default_filters=["trim"]).render(x=" a ")
)
try:
    lookup.get_template("bad.html").render()
except ZeroDivisionError:
    print(exceptions.text_error_template().render().splitlines()[-4:])
    print("bad.html" in exceptions.html_error_template().render().decode())
print(sorted(path.name for path in pathlib.Path("modules").rglob("*.py")))
print(
    subprocess.run([sys.executable, "-m", "mako.cmd", "--var", "x=5", "-"], input="${x}", stdout=-1, text=True).stdout
)
