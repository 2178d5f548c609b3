"""plug-ins found by listing packages on disk, its reactor with a web server, a child process, command line."""

import os
import subprocess
import sys
import warnings

from twisted import plugin
from twisted.application.service import IServiceMaker
from twisted.internet import defer, endpoints, reactor, task, threads, utils
from twisted.python import modules
from twisted.web import client, resource, server, static

warnings.simplefilter("ignore")
os.environ["PYTHONWARNINGS"] = "ignore"


class Page(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        return b"path " + request.path


print(sorted({each.name.replace("\n", " ") for each in plugin.getPlugins(IServiceMaker)}))
print(
    modules.getModule("twisted.web.static").filePath.basename(),
    len(list(modules.getModule("twisted.web").iterModules())) > 20,
)


async def main(reactor):
    site = await endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(server.Site(Page()))
    response = await client.Agent(reactor).request(b"GET", b"http://127.0.0.1:%d/x" % site.getHost().port)
    print(response.code, await client.readBody(response))
    print(await threads.deferToThread(pow, 2, 10), await utils.getProcessOutput("/bin/echo", [b"child"]))
    await defer.gatherResults([task.deferLater(reactor, 0, print, "later")])
    await site.stopListening()


try:
    task.react(lambda reactor: defer.ensureDeferred(main(reactor)))
except SystemExit as error:
    print(error.code, static.File(".").isdir(), reactor.running)
result = subprocess.run([sys.executable, "-m", "twisted", "--help"], capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
print(subprocess.run([sys.executable, "-m", "twisted.trial", "--help-reporters"], stdout=-1, text=True).stdout)
