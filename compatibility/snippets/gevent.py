"""a patched standard library on libev and c-ares: servers, pools, threads, child processes."""

from gevent import monkey

monkey.patch_all()
import socket
import subprocess
import threading
import time

import gevent
import gevent.pool
import gevent.queue
import gevent.server
from gevent.resolver import ares

with gevent.server.StreamServer(
    ("127.0.0.1", 0), lambda channel, address: channel.sendall(channel.recv(9).upper())
) as server:
    server.start()
    with socket.create_connection(("127.0.0.1", server.server_port)) as channel:
        channel.sendall(b"hello")
        print(channel.recv(9))
print(gevent.pool.Pool(2).map(lambda n: (time.sleep(0.01), n * n)[1], range(4)))
print(subprocess.check_output(["echo", "child"]), type(threading.current_thread()).__name__)
print(
    gevent.get_hub().loop.__class__.__module__, gevent.get_hub().threadpool.apply(pow, (2, 8)), ares.Resolver.__module__
)
try:
    with gevent.Timeout(0.01):
        gevent.queue.Queue().get()
except gevent.Timeout as error:
    print(error)
