"""routes with validation, the OpenAPI document and its pages, dependencies, background tasks, WebSockets."""
# /// script
# dependencies = ["fastapi", "httpx", "python-multipart"]
# ///

import json

from fastapi import BackgroundTasks, Depends, FastAPI, UploadFile, WebSocket
from fastapi.testclient import TestClient
from pydantic import BaseModel


class Item(BaseModel):
    name: str
    price: float = 1.0


app = FastAPI(title="shop")
done = []


@app.post("/items")
def make(item: Item, tasks: BackgroundTasks, user: str = Depends(lambda: "someone")):
    tasks.add_task(done.append, item.name)
    return {"item": item, "user": user}


@app.post("/files")
async def receive(file: UploadFile):
    return len(await file.read())


@app.websocket("/ws")
async def socket(channel: WebSocket):
    await channel.accept()
    await channel.send_json({"got": await channel.receive_text()})


client = TestClient(app)
print(client.post("/items", json={"name": "bolt"}).json(), done)
print(client.post("/items", json={}).status_code, client.post("/items", json={}).json()["detail"][0]["type"])
print(client.post("/files", files={"file": b"abc"}).json(), "swagger" in client.get("/docs").text)
print(json.dumps(client.get("/openapi.json").json()["paths"], sort_keys=True)[:200])
with client.websocket_connect("/ws") as channel:
    channel.send_text("hi")
    print(channel.receive_json())
