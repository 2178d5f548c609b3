"""classes made at run time, whose source linecache and tracebacks see; converters, validators, pickling."""

import inspect
import linecache
import pickle

import attr
import attrs


@attrs.define(order=True)
class Point:
    x: int = attrs.field(converter=int, validator=attrs.validators.ge(0))
    y: list = attrs.field(factory=list, repr=False)


point = Point("3")
print(point, pickle.loads(pickle.dumps(point)) == point, attrs.asdict(point), point < Point(4))
try:
    Point(-1)
except ValueError as error:
    print(error)
filename = Point.__init__.__code__.co_filename
print(filename.startswith("<attrs generated"), linecache.getline(filename, 1).strip())
print(inspect.signature(Point), attr.fields(Point).x.name, attrs.evolve(point, x=9))
print(inspect.getsource(attrs.validators.ge).splitlines()[0])
