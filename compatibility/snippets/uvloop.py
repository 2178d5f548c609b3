"""its event loop: a TCP server and client, a child process, timers, Unix sockets."""

import asyncio
import sys

import uvloop


async def echo(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


async def ask(reader, writer):
    writer.write(b"hello\n")
    answer = await reader.readline()
    writer.close()
    return answer


async def main():
    print(type(asyncio.get_running_loop()).__module__)
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        print(await ask(*await asyncio.open_connection(*server.sockets[0].getsockname())))
    async with await asyncio.start_unix_server(echo, "echo.sock"):
        print(await ask(*await asyncio.open_unix_connection("echo.sock")))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import uvloop; print(uvloop.__name__)", stdout=-1
    )
    print((await child.communicate())[0], child.returncode)
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.01)
    except TimeoutError:
        print("timed out")


uvloop.run(main())
