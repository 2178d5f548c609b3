"""completion by typeshed's stubs and in a helper process that is started by path; definitions in bundled packages."""
# /// script
# dependencies = ["jedi", "attrs"]
# ///

import jedi

script = jedi.Script("import json\nimport attrs\njson.lo\nattrs.evol\n'a'.isa\n")
print([completion.name for completion in script.complete(3, 7)])
print([completion.name for completion in script.complete(4, 10)])
print([completion.name for completion in script.complete(5, 7)])
script = jedi.Script("import collections, attrs\ncollections.OrderedDict().popitem\nattrs.validators.in_\n")
for name in (*script.infer(2, 30), *script.goto(3, 19, follow_imports=True)):
    print(name.full_name, name.type, name.module_path)
print(jedi.Script("def f(a, b=3): pass\nf(").get_signatures(2, 2)[0].to_string())
print([name.name for name in jedi.Interpreter("value.up", [{"value": "text"}]).complete()])
