"""a shell in a process and by its command line: magics, completion, tracebacks, help with source."""

import subprocess
import sys

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
shell.colors = "nocolor"
with capture_output() as captured:
    shell.run_cell("x = [1, 2]\nx + [3]")
    shell.run_cell("%who_ls?")
    shell.run_cell("import IPython.display\nIPython.display.Markdown('# x')")
    shell.run_cell("!echo shell")
    shell.run_cell("%load_ext autoreload")
    shell.run_cell("%pinfo2 IPython.utils.text.dedent")
print(captured.stdout)
print(sorted(shell.Completer.all_completions("x.app")), shell.complete("%loa")[1])
with capture_output() as captured:
    shell.run_cell("import IPython.utils.text\nIPython.utils.text.columnize(1)")
print(captured.stdout.splitlines()[-1])
command = [sys.executable, "-m", "IPython", "--colors=nocolor", "--no-banner", "-c", "%who_ls?\nprint(6 * 7)"]
result = subprocess.run(command, capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
