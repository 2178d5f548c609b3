"""the client against a server of a few lines: pipelines, scripts, errors, the parsers, both kinds of client."""

import asyncio
import socketserver
import threading

import redis
import redis.asyncio


class Handler(socketserver.StreamRequestHandler):
    store = {}

    def handle(self):
        while head := self.rfile.readline():
            words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(head[1:]))]
            self.wfile.write(self.answer(words[0].upper(), *words[1:]))

    def answer(self, command, *words):
        if command == b"SET":
            self.store[words[0]] = words[1]
            return b"+OK\r\n"
        if command == b"GET":
            value = self.store.get(words[0])
            return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)
        return (
            b"+PONG\r\n" if command == b"PING" else b"+OK\r\n" if command == b"CLIENT" else b"-ERR unknown command\r\n"
        )


async def ask(port):
    async with redis.asyncio.Redis(port=port, decode_responses=True, protocol=2) as client:
        return await client.get("a")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


with Server(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    with redis.Redis(port=port, protocol=2) as client:
        print(client.ping(), client.set("a", "1"), client.get("a"), client.get("b"))
        print(client.pipeline(transaction=False).set("x", 2).get("x").execute())
        try:
            client.incr("a")
        except redis.ResponseError as error:
            print(error)
    print(asyncio.run(ask(port)), redis.from_url("redis://h:1/2").connection_pool.connection_kwargs["db"])
    server.shutdown()
