"""a kernel in a process of its own, started through jupyter_client, with ZeroMQ in libraries beside the package."""
# /// script
# dependencies = ["ipykernel", "jupyter_client"]
# ///

import warnings

warnings.simplefilter("ignore")
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

print(sorted(KernelSpecManager().find_kernel_specs()))
manager, client = start_new_kernel()


def output(message):
    content = message["content"]
    if message["msg_type"] in {"stream", "execute_result", "error"}:
        print(message["msg_type"], content.get("text") or content.get("data") or content["evalue"])


client.execute_interactive("print(6 * 7)\n[1, 2]", output_hook=output, timeout=60)
client.execute_interactive("1 / 0", output_hook=output, timeout=60)
print(client.complete("pri", 3, reply=True, timeout=60)["content"]["matches"][:1])
client.stop_channels()
manager.shutdown_kernel(now=True)
