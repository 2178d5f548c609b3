"""a server with templates, WebSockets and static files, the C extension, locales, a child process."""

import asyncio
import pathlib

import tornado.httpclient
import tornado.httpserver
import tornado.locale
import tornado.process
import tornado.template
import tornado.testing
import tornado.util
import tornado.web
import tornado.websocket


class Main(tornado.web.RequestHandler):
    def get(self):
        self.render("page.html", items=["<a>", "b"])


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message.upper())


async def main():
    pathlib.Path("page.html").write_text("{% for x in items %}[{{ x }}]{% end %}{{ static_url('s.txt') }}")
    pathlib.Path("s.txt").write_text("static")
    app = tornado.web.Application([("/", Main), ("/ws", Echo)], template_path=".", static_path=".")
    socket, port = tornado.testing.bind_unused_port()
    server = tornado.httpserver.HTTPServer(app)
    server.add_socket(socket)
    client = tornado.httpclient.AsyncHTTPClient()
    print(
        (await client.fetch(f"http://127.0.0.1:{port}/")).body,
        (await client.fetch(f"http://127.0.0.1:{port}/static/s.txt")).body,
    )
    connection = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{port}/ws")
    await connection.write_message("hello")
    print(await connection.read_message())
    connection.close()
    print(await tornado.process.Subprocess(["true"]).wait_for_exit(), tornado.util._websocket_mask.__module__)
    server.stop()


asyncio.run(main())
print(tornado.template.Template("{{ 1 + 1 }}").generate(), tornado.locale.get("de").name)
