"""static files of an installed package, found through its spec; templates; sessions; streams."""
# /// script
# dependencies = ["starlette", "httpx", "jinja2", "itsdangerous", "sphinx", "python-multipart"]
# ///

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient


async def count(request):
    request.session["n"] = request.session.get("n", 0) + 1
    return JSONResponse(request.session)


async def stream(request):
    async def parts():
        for number in range(3):
            yield f"{number},"

    return StreamingResponse(parts())


app = Starlette(
    routes=[
        Route("/count", count),
        Route("/stream", stream),
        Mount("/static", StaticFiles(packages=[("sphinx", "themes/basic/static")])),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key="x"), Middleware(GZipMiddleware)],
)
client = TestClient(app)
print(client.get("/count").json(), client.get("/count").json(), client.get("/stream").text)
response = client.get("/static/doctools.js")
print(
    response.status_code,
    response.headers["content-type"],
    response.headers["content-encoding"],
    len(response.text) > 1000,
)
print(client.get("/static/nothing").status_code, client.get("/static/../conf.py").status_code)
