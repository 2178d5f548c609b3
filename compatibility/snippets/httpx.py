"""mocked, ASGI and real transports, contexts with certificates, lazily imported backends, its command line."""
# /// script
# dependencies = ["httpx[cli,http2]"]
# ///

import asyncio
import http.server
import subprocess
import sys
import threading

import httpx


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def ask():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return (await client.get("/asgi")).text


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


print(asyncio.run(ask()))
with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(418, json={"x": 1}))) as client:
    response = client.get("http://test/")
    print(response.status_code, response.reason_phrase, response.json())
print(len(httpx.create_ssl_context().get_ca_certs()) > 100)
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(httpx.get(f"http://127.0.0.1:{server.server_port}/").status_code, httpx.Client(http2=True).trust_env)
    server.shutdown()
command = [sys.executable, "-c", "import httpx; httpx.main()", "--help"]
result = subprocess.run(command, capture_output=True, text=True)
print(result.returncode, "--http2" in result.stdout, result.stderr)
