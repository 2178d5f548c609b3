"""the meta-schemas, which are resources of another package; formats, references, best errors."""
# /// script
# dependencies = ["jsonschema[format]"]
# ///

import jsonschema
import jsonschema.protocols
import referencing
from jsonschema_specifications import REGISTRY

schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"n": {"type": "integer"}, "when": {"format": "date-time"}, "part": {"$ref": "urn:part"}},
    "required": ["n"],
}
part = referencing.Resource.from_contents({"$schema": schema["$schema"], "minLength": 3})
registry = REGISTRY.with_resource("urn:part", part)
validator = jsonschema.Draft202012Validator(
    schema, registry=registry, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
for value in ({"n": 1, "when": "2024-02-30T00:00:00Z"}, {"n": "x", "part": "ab"}, {}):
    print(
        sorted(error.message for error in validator.iter_errors(value)),
        jsonschema.exceptions.best_match(validator.iter_errors(value)).json_path,
    )
for kind in (jsonschema.Draft3Validator, jsonschema.Draft7Validator, jsonschema.Draft201909Validator):
    kind.check_schema({"type": "string"})
try:
    jsonschema.validate({}, {"type": "nothing"})
except jsonschema.SchemaError as error:
    print(error)
print(len(list(REGISTRY)), jsonschema.validators.validator_for(schema).__name__)
