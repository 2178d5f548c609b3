"""progress bars, its command line, a monitor thread, lazily imported variants."""

import io
import subprocess
import sys

import tqdm
from tqdm.auto import trange
from tqdm.contrib import tenumerate
from tqdm.contrib.concurrent import thread_map

stream = io.StringIO()
bar_format = "{desc}{n_fmt}/{total_fmt}|{bar}|"
for _ in tqdm.tqdm(range(5), desc="work", file=stream, ascii=True, ncols=30, mininterval=0, bar_format=bar_format):
    pass
print(stream.getvalue().split("\r")[-1].strip())
print(sum(trange(4, disable=True)), list(tenumerate("ab", disable=True)), thread_map(str, range(3), disable=True))
command = [sys.executable, "-m", "tqdm", "--bar_format", "{n_fmt}"]
result = subprocess.run(command, input="a\nb\n", capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr.split("\r")[-1].strip())
print(tqdm.tqdm.format_sizeof(123456, "B"), tqdm.tqdm.format_interval(3725))
