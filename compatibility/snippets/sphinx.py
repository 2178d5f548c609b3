"""a small project to HTML: themes, templates, locales, search index, extensions by entry points, autodoc."""

import hashlib
import pathlib

from sphinx.application import Sphinx

source = pathlib.Path("source")
source.mkdir()
source.joinpath("conf.py").write_text(
    "project = 'demo'\nlanguage = 'de'\nextensions = ['sphinx.ext.autodoc', 'sphinx.ext.viewcode',"
    " 'sphinx.ext.napoleon', 'sphinx.ext.graphviz', 'sphinx.ext.mathjax']\n"
)
source.joinpath("index.rst").write_text(
    "Demo\n====\n.. toctree::\n\n   page\n\n.. automodule:: sphinx.util.matching\n   :members: compile_matchers\n"
)
source.joinpath("page.rst").write_text("Page\n====\n.. note:: careful\n\n.. code-block:: python\n\n   print(1)\n")
for builder in ("html", "latex", "man", "gettext", "epub"):
    app = Sphinx("source", "source", f"out/{builder}", f"trees/{builder}", builder, status=None, verbosity=0)
    app.build()
    names = sorted(
        path.relative_to(app.outdir).as_posix() for path in pathlib.Path(app.outdir).rglob("*") if path.is_file()
    )
    print(builder, app.statuscode, len(names), hashlib.sha256("\n".join(names).encode()).hexdigest()[:12])
page = pathlib.Path("out/html/page.html").read_text()
print("Bemerkung" in page or "Hinweis" in page, "highlight-python" in page, "alabaster" in page)
print("compile_matchers" in pathlib.Path("out/html/index.html").read_text())
print(pathlib.Path("out/html/_modules/sphinx/util/matching.html").exists())
