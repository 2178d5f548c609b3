"""Progress as bars, by the library `rich`: one line for each phase."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .color import is_colored
from .progress import SHARED, Display

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderResult

    from .progress import Phase


class Bars(Display):
    """One line for each phase.  All are removed at the end.

    A thread of `rich` draws them, so an interrupt, which is raised in the main thread, does not stop it half-way.
    """

    def __init__(self) -> None:
        super().__init__()
        self._live = Live(
            self,
            console=Console(file=sys.stderr, force_terminal=True, no_color=not is_colored(sys.stderr)),
            refresh_per_second=10,
            transient=True,
            # `rich` must not change what the command and installers print.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._drawn: list[Phase] = []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the phases.

        The last columns stay free: the terminal writes ``^C`` there.  On a line of its own, it would not be removed.
        """
        table = Table.grid(padding=(0, 1), expand=True)
        for _ in range(4):
            table.add_column(no_wrap=True, overflow="crop")
        table.add_column(no_wrap=True, overflow="crop", ratio=1)  # is cut if the terminal is narrow
        for phase in tuple(self._drawn):
            bar = ProgressBar(phase.total, phase.done, width=20, pulse=phase.total is None)
            table.add_row(phase.name, bar, *map(Text, (phase.count, phase.time, phase.detail)))
        yield from console.render(table, options.update_width(max(options.max_width - 3, 1)))

    def _show(self, phase: Phase, *, begins: bool) -> None:
        if begins and phase.name == SHARED:
            sys.stderr.write(f"{phase.name}\n")
            sys.stderr.flush()
            return
        self._live.start()
        if phase not in self._drawn:
            self._drawn.append(phase)

    def clear(self) -> None:
        """Remove the bars from the terminal."""
        self._live.stop()
