"""a server and client in one loop: JSON, WebSocket, static files, the C parsers."""

import asyncio
import pathlib

import aiohttp
from aiohttp import http_parser, web


async def socket(request):
    channel = web.WebSocketResponse()
    await channel.prepare(request)
    async for message in channel:
        await channel.send_str(message.data.upper())
        await channel.close()
    return channel


async def main():
    pathlib.Path("static").mkdir()
    pathlib.Path("static/a.txt").write_text("static text")
    app = web.Application()
    app.router.add_get("/json", lambda request: asyncio.sleep(0, web.json_response({"q": request.query["q"]})))
    app.router.add_get("/ws", socket)
    app.router.add_static("/static", "static")
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    async with aiohttp.ClientSession(base) as session:
        print(await (await session.get("/json?q=ü")).json(), await (await session.get("/static/a.txt")).text())
        async with session.ws_connect("/ws") as channel:
            await channel.send_str("hello")
            print((await channel.receive()).data)
        print((await session.get("/none")).status)
    await runner.cleanup()
    print(http_parser.HttpRequestParser.__module__, aiohttp.FormData({"a": "b"})().size)


asyncio.run(main())
