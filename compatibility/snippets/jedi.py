"""completion by typeshed's stubs and in a helper process that is started by path; definitions of bundled packages."""
# /// script
# dependencies = ["jedi", "attrs", "PyYAML"]
# ///

import jedi


def attempt(what, function):
    try:
        print(what, function())
    except OSError as error:
        print(what, type(error).__name__)


def completions(source, *place):
    return [completion.name for completion in jedi.Script(source).complete(*place)]


attempt("standard library:", lambda: completions("import json\njson.lo\n", 2, 7))
attempt("stubs:", lambda: completions("'a'.isa\n", 1, 7))
definition = jedi.Script("import collections\ncollections.OrderedDict().popitem\n")
attempt("definition:", lambda: [(name.full_name, name.type) for name in definition.infer(2, 30)])
signatures = jedi.Script("def f(a, b=3): pass\nf(")
attempt("signature:", signatures.get_signatures(2, 2)[0].to_string)
names = jedi.Interpreter("value.up", [{"value": "text"}])
attempt("interpreter:", lambda: [name.name for name in names.complete()])
attempt("pure package:", lambda: completions("import attrs\nattrs.evol\n", 2, 10))
attempt("package with extension modules:", lambda: completions("import yaml\nyaml.safe_lo\n", 2, 12))
