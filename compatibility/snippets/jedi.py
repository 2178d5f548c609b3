"""completion by typeshed's stubs and in a helper process that is started by path; definitions of bundled packages."""
# /// script
# dependencies = ["jedi", "attrs", "PyYAML"]
# ///

import jedi

script = jedi.Script("import json\njson.lo\n'a'.isa\n")
print([completion.name for completion in script.complete(2, 7)])
print([completion.name for completion in script.complete(3, 7)])
script = jedi.Script("import collections\ncollections.OrderedDict().popitem\n")
for name in script.infer(2, 30):
    print(name.full_name, name.type, name.module_path)
print(jedi.Script("def f(a, b=3): pass\nf(").get_signatures(2, 2)[0].to_string())
print([name.name for name in jedi.Interpreter("value.up", [{"value": "text"}]).complete()])
for source, place in (("import attrs\nattrs.evol\n", (2, 10)), ("import yaml\nyaml.safe_lo\n", (2, 12))):
    try:
        print([completion.name for completion in jedi.Script(source).complete(*place)])
    except OSError as error:
        print(type(error).__name__)
