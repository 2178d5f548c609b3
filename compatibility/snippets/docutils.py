"""reStructuredText to HTML with its style sheets, LaTeX and XML templates, included character tables, languages."""
# /// script
# dependencies = ["docutils", "pygments"]
# [tool.compatibility]
# subset = true
# ///

import hashlib
import pathlib
import subprocess
import sys

from docutils import core

SOURCE = """
Title
=====
.. include:: <isonum.txt>
.. contents::

|copy| *text* with a `link <https://example.org>`_ and :math:`\\alpha^2`.

.. code:: python

   print("x")

.. csv-table::
   :header: a, b

   1, 2

Part
----
.. note:: careful
"""
overrides = {"embed_stylesheet": True, "generator": False, "datestamp": False}
for writer in ("html5", "html4css1", "latex", "xetex", "xml", "manpage", "s5", "pseudoxml"):
    text = core.publish_string(SOURCE, writer=writer, settings_overrides=overrides).decode()
    lines = [line for line in text.splitlines() if "Docutils" not in line]
    print(writer, len(lines) > 10, hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12])
overrides["language_code"] = "de"
print(core.publish_parts(".. Achtung:: vorsicht", writer="html", settings_overrides=overrides)["body"])
pathlib.Path("page.rst").write_text(SOURCE)
result = subprocess.run(
    [sys.executable, "-m", "docutils", "--no-generator", "page.rst"], capture_output=True, text=True
)
print(result.returncode, "<style" in result.stdout, result.stderr)
