"""the C parser and emitter, tags, and the same from pure Python."""
# /// script
# dependencies = ["PyYAML"]
# [tool.compatibility]
# subset = true
# ///

import datetime

import yaml

text = "when: 2024-02-29\nitems: [1, 2.5, 'three']\nanchor: &a {x: 1}\nagain: *a\nmore: !!set {p, q}\n"
for loader, dumper in ((yaml.CSafeLoader, yaml.CSafeDumper), (yaml.SafeLoader, yaml.SafeDumper)):
    value = yaml.load(text, Loader=loader)
    print(value["when"] == datetime.date(2024, 2, 29), sorted(value["more"]))
    print(yaml.dump({key: value[key] for key in ("when", "items", "again")}, Dumper=dumper))
    try:
        yaml.load("a: [1", Loader=loader)
    except yaml.YAMLError as error:
        print(type(error).__name__, error.problem_mark.line, error.problem_mark.column)
print(yaml.__with_libyaml__, [type(event).__name__ for event in yaml.parse("[1]", Loader=yaml.CLoader)])
