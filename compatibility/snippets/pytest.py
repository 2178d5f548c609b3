"""a test run with plug-ins found by entry points, assertion rewriting, fixtures of a plug-in, reports."""
# /// script
# dependencies = ["pytest", "faker", "anyio"]
# ///

import pathlib
import re
import subprocess
import sys

pathlib.Path("test_it.py").write_text(
    "import pytest\n"
    "def test_plugin(faker):\n    assert faker.name()\n"
    "@pytest.mark.anyio\nasync def test_async(): pass\n"
    "def test_fails():\n    values = [1, 2]\n    assert values == [1, 3]\n"
    "@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
)
command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--junitxml=report.xml"]
result = subprocess.run([*command, "-v", "test_it.py"], capture_output=True, text=True)
text = re.sub(r" in [0-9.]+s", "", result.stdout)
# Plug-ins are in the order of a directory's listing, which is nobody's promise.
text = re.sub("(?<=plugins: )(.*)", lambda match: ", ".join(sorted(match[0].split(", "))), text)
print(
    result.returncode, "\n".join(line for line in text.splitlines() if not line.startswith("platform")), result.stderr
)
print(pathlib.Path("report.xml").read_text().count("<testcase"))
help_text = subprocess.run([*command, "--fixtures"], capture_output=True, text=True).stdout
print("tmp_path" in help_text, "Fixture that returns a seeded" in help_text)
