"""a small project to HTML: themes, templates, locales, search index, extensions by entry points, autodoc."""

import hashlib
import pathlib
import subprocess
import sys

source = pathlib.Path("source")
source.mkdir()
source.joinpath("conf.py").write_text(
    "project = 'demo'\nlanguage = 'de'\nextensions = ['sphinx.ext.autodoc', 'sphinx.ext.viewcode',"
    " 'sphinx.ext.napoleon', 'sphinx.ext.graphviz', 'sphinx.ext.mathjax']\n"
)
source.joinpath("index.rst").write_text(
    "Demo\n====\n.. toctree::\n\n   page\n\n.. automodule:: sphinx.util.matching\n   :members: Matcher\n"
)
source.joinpath("page.rst").write_text("Page\n====\n.. note:: careful\n\n.. code-block:: python\n\n   print(1)\n")
for builder in ("html", "latex", "man", "gettext", "epub"):
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-b",
        builder,
        "-d",
        f"trees/{builder}",
        "source",
        f"out/{builder}",
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    names = sorted(path.name for path in pathlib.Path("out", builder).rglob("*") if path.is_file())
    print(builder, result.returncode, result.stdout, result.stderr)
    print(len(names), hashlib.sha256("\n".join(names).encode()).hexdigest()[:12])
page = pathlib.Path("out/html/page.html").read_text()
print("Bemerkung" in page or "Hinweis" in page, "highlight-python" in page, "alabaster" in page)
print("sphinx.util.matching.Matcher" in pathlib.Path("out/html/index.html").read_text())
print(pathlib.Path("out/html/_modules/sphinx/util/matching.html").exists())
