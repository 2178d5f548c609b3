"""templates inside a package, through PackageLoader; a bytecode cache, translations, tracebacks into templates."""
# /// script
# dependencies = ["jinja2", "docutils"]
# [tool.compatibility]
# subset = true
# ///

import traceback

import jinja2
from jinja2 import sandbox

loader = jinja2.PackageLoader("docutils", "writers/html5_polyglot")
environment = jinja2.Environment(loader=loader, extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
print([name for name in loader.list_templates() if "__pycache__" not in name])
print(environment.get_template("template.txt").render()[:40].splitlines())
environment.install_null_translations()
environment.loader = jinja2.ChoiceLoader(
    [
        loader,
        jinja2.DictLoader(
            {
                "base": "<{% block b %}{% endblock %}>",
                "page": "{% extends 'base' %}{% block b %}{% trans %}hi{% endtrans %}{{ x|e }}{% endblock %}",
                "bad": "line\n{{ 1 // 0 }}",
            }
        ),
    ]
)
environment.bytecode_cache = jinja2.FileSystemBytecodeCache(".")
print(environment.get_template("page").render(x="<&>"))
try:
    environment.get_template("bad").render()
except ZeroDivisionError as error:
    print([(frame.name, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)][-1])
    print(traceback.format_exc().replace("^", "").rstrip())
try:
    sandbox.SandboxedEnvironment().from_string("{{ ().__class__.__mro__ }}").render()
except jinja2.exceptions.SecurityError as error:
    print(error)
try:
    jinja2.PackageLoader("docutils", "nothing")
except ValueError as error:
    print(error)
