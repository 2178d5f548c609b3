"""a worker with an in-memory broker, modules that load what they name on first use, its command line."""

import subprocess
import sys
import threading

import celery
from celery import chain, group
from celery.contrib.testing.worker import start_worker

app = celery.Celery("demo", broker="memory://", backend="cache+memory://")
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)


@app.task
def add(x, y):
    return x + y


with start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
    print(add.delay(2, 3).get(timeout=20), chain(add.s(1, 1), add.s(5)).delay().get(timeout=20))
    print(group(add.s(n, n) for n in range(3)).delay().get(timeout=20))
print(sorted(name for name in app.tasks if name.startswith("celery."))[:3], celery.Task.__module__)
print(app.amqp.__class__.__module__, threading.current_thread().name)
result = subprocess.run([sys.executable, "-m", "celery", "--help"], capture_output=True, text=True)
print(result.returncode, "worker" in result.stdout, result.stderr)
