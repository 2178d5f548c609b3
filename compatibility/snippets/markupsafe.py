"""an extension module with a fallback, pickling."""
# /// script
# dependencies = ["markupsafe"]
# [tool.compatibility]
# subset = true
# ///

import inspect
import pickle

import markupsafe
from markupsafe import Markup, _native

print(markupsafe.escape("<a href='x'>"), Markup("<b>%s</b>") % "<", Markup("<i>a&nbsp;b</i>").striptags())
print(
    markupsafe._escape_inner.__module__,
    _native._escape_inner("<"),
    type(pickle.loads(pickle.dumps(Markup("x")))).__name__,
)
print(inspect.getsource(_native._escape_inner).splitlines()[0], Markup("{0:>5}").format("<"))
