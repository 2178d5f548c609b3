"""every lexer, style and formatter, found through lists of names; plug-ins; its command line."""

import pathlib
import subprocess
import sys

import pygments
from pygments import formatters, lexers, plugin, styles

print(sum(lexers.get_lexer_by_name(aliases[0]) is not None for _, aliases, _, _ in lexers.get_all_lexers() if aliases))
print(
    len(list(styles.get_all_styles())) > 40,
    [styles.get_style_by_name(name).background_color for name in ("monokai", "vim")],
)
code = "def f(x: int) -> str:\n    return f'{x!r}'  # note\n"
for name in ("html", "terminal256", "latex", "svg", "rtf"):
    print(pygments.highlight(code, lexers.get_lexer_by_name("python"), formatters.get_formatter_by_name(name)))
# In the order of a directory's listing, which is nobody's promise.
print(type(lexers.guess_lexer("#!/bin/sh\necho hi")).__name__, sorted(map(str, plugin.find_plugin_lexers())))
pathlib.Path("x.rs").write_text("fn main() {}\n")
print(subprocess.run([sys.executable, "-m", "pygments", "x.rs"], stdout=-1, text=True).stdout)
