"""a local server, sessions, redirects, the certificates that it verifies with."""
# /// script
# dependencies = ["requests"]
# [tool.compatibility]
# subset = true
# ///

import http.server
import os
import ssl
import threading

import requests
import requests.certs


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302 if self.path.startswith("/old") else 200)
        self.send_header("Location", "/new")
        self.send_header("Set-Cookie", "a=b")
        self.end_headers()
        self.wfile.write(f'{{"path": "{self.path}", "ü": 1}}'.encode())

    def log_message(self, *arguments):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with requests.Session() as session:
        response = session.get(f"http://127.0.0.1:{server.server_port}/old", params={"q": "ü"})
        print(response.json(), len(response.history), session.cookies.get_dict(), response.apparent_encoding)
    server.shutdown()
where = requests.certs.where()
print(os.path.basename(where), len(ssl.create_default_context(cafile=where).get_ca_certs()) > 100)
try:
    requests.get("https://127.0.0.1:1/", timeout=5)
except requests.ConnectionError as error:
    print(type(error).__name__, type(error.args[0]).__name__)
print(requests.codes.teapot, requests.utils.default_headers()["Accept"])
