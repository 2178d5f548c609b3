"""an extension module with its own package: dates, dataclasses, sorted keys, errors."""
# /// script
# dependencies = ["orjson"]
# [tool.compatibility]
# subset = true
# ///

import dataclasses
import datetime
import uuid

import orjson


@dataclasses.dataclass
class Point:
    x: int
    when: datetime.datetime


value = {"b": Point(1, datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC)), "a": uuid.UUID(int=5), "ü": 1.5}
data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
print(data.decode())
print(orjson.loads(data)["b"])
try:
    orjson.loads(b"[1, 2")
except orjson.JSONDecodeError as error:
    print(type(error).__mro__[1].__name__, error)
