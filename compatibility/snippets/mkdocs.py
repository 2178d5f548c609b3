"""a site built with a theme and plug-ins found by entry points, whose folders are found through the theme's file."""

import pathlib
import subprocess
import sys

pathlib.Path("docs").mkdir()
pathlib.Path("docs/index.md").write_text("# Home\n\nWelcome, see [page](page.md).\n")
pathlib.Path("docs/page.md").write_text("# Page\n\n```python\nprint(1)\n```\n")
for theme in ("mkdocs", "readthedocs"):
    pathlib.Path("mkdocs.yml").write_text(
        f"site_name: demo\nsite_url: https://example.org/\ntheme: {{name: {theme}, locale: de}}\nplugins: [search]\n"
    )
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "-q", "-d", f"site/{theme}"]
    result = subprocess.run(command, capture_output=True, text=True)
    print(theme, result.returncode, result.stdout, result.stderr)
    files = sorted(
        path.relative_to("site").as_posix() for path in pathlib.Path("site", theme).rglob("*") if path.is_file()
    )
    print(len(files), [name for name in files if name.endswith((".html", ".js"))])
print("Suche" in pathlib.Path("site/mkdocs/index.html").read_text())
