"""an extension module imported from its package: processes, memory, sockets."""

import os
import socket
import subprocess
import sys

import psutil

me = psutil.Process()
print(me.pid == os.getpid(), me.cwd() == os.getcwd(), me.status(), me.memory_info().rss > 1_000_000)
with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
    print([process.pid == child.pid for process in me.children()], psutil.pid_exists(child.pid))
    psutil.Process(child.pid).kill()
    print(child.wait())
with socket.create_server(("127.0.0.1", 0)) as server:
    print([each.laddr.port == server.getsockname()[1] for each in me.net_connections()])
print(psutil.virtual_memory().total > 10**8, psutil.cpu_count() >= 1, "lo" in psutil.net_if_addrs())
try:
    psutil.Process(2**22 + 1)
except psutil.NoSuchProcess as error:
    print(type(error).__name__)
