"""models, errors, JSON schema, pickling, the lookup of plug-ins among all distributions."""
# /// script
# dependencies = ["pydantic"]
# [tool.compatibility]
# subset = true
# ///

import datetime
import json
import pickle
from typing import Annotated

import pydantic
from pydantic.plugin import _loader


class Item(pydantic.BaseModel):
    name: Annotated[str, pydantic.StringConstraints(min_length=2)]
    when: datetime.date
    tags: set[int] = set()


item = Item.model_validate_json('{"name": "bolt", "when": "2024-02-29", "tags": ["1", 2]}')
print(item, pickle.loads(pickle.dumps(item)) == item)
print(json.dumps(Item.model_json_schema(), sort_keys=True))
try:
    Item(name="x", when="never")
except pydantic.ValidationError as error:
    print(error.error_count(), [(each["type"], each["loc"]) for each in error.errors()])
print(list(_loader.get_plugins()))
print(pydantic.TypeAdapter(list[pydantic.AnyUrl]).validate_python(["https://example.org/a"]))
print(pydantic.create_model("Made", x=(int, 3))().model_dump())
