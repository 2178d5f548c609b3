"""interfaces and adapters with the C optimisations, in a namespace package."""

import pickle

from zope.interface import Interface, Invalid, implementer, invariant, providedBy
from zope.interface.adapter import AdapterRegistry
from zope.interface.declarations import implementedBy
from zope.interface.verify import verifyObject


class IShape(Interface):
    def area(unit):
        """Return the area."""

    @invariant
    def positive(self):
        if self.area("m") < 0:
            raise Invalid("negative")


@implementer(IShape)
class Square:
    def area(self, unit):
        return 4


registry = AdapterRegistry()
registry.register([IShape], Interface, "text", lambda shape: f"<{shape.area('m')}>")
print(
    verifyObject(IShape, Square()),
    IShape.providedBy(Square()),
    registry.lookup1(providedBy(Square()), Interface, "text")(Square()),
)
print(IShape.validateInvariants(Square()), IShape["area"].getDoc(), pickle.loads(pickle.dumps(IShape)) is IShape)
print(type(registry).__module__, type(implementedBy(Square)).__mro__[1].__module__, IShape.__hash__.__qualname__)
