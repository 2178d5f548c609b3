"""a server started by its command line, with workers' modules and protocols imported by name."""
# /// script
# dependencies = ["uvicorn[standard]"]
# ///

import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

pathlib.Path("app.py").write_text(
    "import asyncio\n"
    "async def app(scope, receive, send):\n"
    "    loop = type(asyncio.get_running_loop()).__module__\n"
    "    if scope['type'] == 'http':\n"
    "        headers = [(b'x-loop', loop.encode())]\n"
    "        await send({'type': 'http.response.start', 'status': 200, 'headers': headers})\n"
    "        await send({'type': 'http.response.body', 'body': b'hello'})\n"
    "    elif scope['type'] == 'lifespan':\n"
    "        for kind in ('startup', 'shutdown'):\n"
    "            await receive()\n"
    "            await send({'type': f'lifespan.{kind}.complete'})\n"
)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--no-use-colors"]
process = subprocess.Popen(command, stdout=-1, stderr=-2, text=True)
for _ in range(200):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/x", timeout=5) as response:
            print(response.read(), response.headers["x-loop"])
        break
    except OSError:
        time.sleep(0.1)
process.terminate()
print(re.sub(r"\[\d+\]|:\d{4,5}", "", process.communicate(timeout=30)[0]))
