"""commands, their help and errors, version by metadata, shell completion, a command found by entry point."""
# /// script
# dependencies = ["click"]
# [tool.compatibility]
# subset = true
# ///

import importlib.metadata

import click
import click.shell_completion
from click.testing import CliRunner


@click.group()
@click.version_option(package_name="click", message="%(version)s")
def main():
    """A program."""


@main.command()
@click.option("--count", type=click.IntRange(1, 3), default=1, show_default=True)
@click.argument("name")
def greet(count, name):
    """Greet somebody."""
    for _ in range(count):
        click.secho(f"hello {name}", fg="green")


runner = CliRunner()
for arguments in (["--help"], ["greet", "--count", "2", "you"], ["greet", "--count", "9", "you"], ["nothing"]):
    result = runner.invoke(main, arguments)
    print(result.exit_code, result.output)
print(runner.invoke(main, ["--version"]).output.strip() == importlib.metadata.version("click"))
completion = click.shell_completion.BashComplete(main, {}, "prog", "_PROG_COMPLETE")
print([item.value for item in completion.get_completions([], "gr")], "_PROG_COMPLETE" in completion.source())
print(runner.invoke(click.Command("x", callback=lambda: click.echo(click.format_filename(b"a\xff")))).output)
