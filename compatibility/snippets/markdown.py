"""extensions named by entry points and by module, its command line."""
# /// script
# dependencies = ["markdown", "pygments"]
# ///

import pathlib
import subprocess
import sys

import markdown

TEXT = "# Head\n\na | b\n--|--\n1 | 2\n\n[TOC]\n\n```python\nprint(1)\n```\n\nnote[^1]\n\n[^1]: foot\n"
print(markdown.markdown(TEXT, extensions=["tables", "toc", "fenced_code", "codehilite", "footnotes"]))
print(markdown.markdown("Title: x\n\n*a*", extensions=["markdown.extensions.meta", "smarty", "admonition", "extra"]))
try:
    markdown.markdown("", extensions=["nothing"])
except ModuleNotFoundError as error:
    print(error)
pathlib.Path("in.md").write_text(TEXT)
print(subprocess.run([sys.executable, "-m", "markdown", "-x", "extra", "in.md"], stdout=-1, text=True).stdout)
