"""names imported when first used, the C speed-ups, servers and clients of both kinds, its command line."""

import asyncio
import subprocess
import sys
import threading

import websockets
import websockets.sync.client
import websockets.sync.server
from websockets.speedups import apply_mask


async def echo(channel):
    async for message in channel:
        await channel.send(message.upper())


async def main():
    async with (
        websockets.serve(echo, "127.0.0.1", 0) as server,
        websockets.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as channel,
    ):
        await channel.send("hello")
        print(await channel.recv(), channel.protocol.extensions[0].name)


asyncio.run(main())
with websockets.sync.server.serve(lambda channel: channel.send("sync " + channel.recv()), "127.0.0.1", 0) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with websockets.sync.client.connect(f"ws://127.0.0.1:{server.socket.getsockname()[1]}") as channel:
        channel.send("x")
        print(channel.recv())
    server.shutdown()
print(apply_mask(b"abcd", b"\x01\x02\x03\x04"), websockets.exceptions.ConnectionClosedOK.__name__)
print(subprocess.run([sys.executable, "-m", "websockets", "--help"], stdout=-1, text=True).returncode)
