"""tables, Markdown, highlighted code, a traceback with source lines, Unicode tables loaded by name."""

import io

from rich.console import Console
from rich.json import JSON
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
from rich.traceback import Traceback

console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="256", legacy_windows=False)
table = Table("name", "value", title="things :rocket:")
table.add_row("[bold]a", "日本語")
console.print(table, Markdown("# Head\n* item `code`"), Syntax("print('x')", "python"), JSON('{"a": [1, null]}'))
try:
    Table().add_row(object())
except Exception:
    traceback = Traceback(width=120, show_locals=False)
print(console.file.getvalue())
console.file = io.StringIO()
console.print(traceback)
text = console.file.getvalue()
print("traceback names the file:", "table.py" in text, "and shows its source:", "NotRenderableError" in text)
