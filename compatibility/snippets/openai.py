"""the client and its hundreds of types, imported when first used; requests answered by a transport of our own."""

import asyncio
import json
import subprocess
import sys

import httpx2
import openai
from openai.types.chat import ChatCompletion

message = {"role": "assistant", "content": "hello", "refusal": None}
choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
chunk = {**answer, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "part"}}]}


def respond(request):
    if request.url.path.endswith("/models"):
        return httpx2.Response(401, json={"error": {"message": "no key", "code": "invalid"}})
    if json.loads(request.content).get("stream"):
        return httpx2.Response(200, text=f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")
    return httpx2.Response(200, json=answer)


client = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(respond)), max_retries=0)
question = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
completion = client.chat.completions.create(**question)
print(type(completion).__name__, completion.choices[0].message.content, completion.to_json(indent=None))
print([part.choices[0].delta.content for part in client.chat.completions.create(**question, stream=True)])
try:
    client.models.list()
except openai.AuthenticationError as error:
    print(error, error.status_code)
print(sorted(ChatCompletion.model_fields), ChatCompletion.model_json_schema()["title"])
for name in ("responses", "files", "images", "audio", "embeddings", "vector_stores", "batches", "fine_tuning"):
    print(name, type(getattr(client, name)).__name__, type(getattr(client, name)).__module__)
print(len(vars(openai.types)) > 50, len(openai.__all__) > 40, openai.__version__ == openai.version.VERSION)


async def main():
    transport = httpx2.MockTransport(respond)
    async with openai.AsyncOpenAI(api_key="x", http_client=httpx2.AsyncClient(transport=transport)) as other:
        print((await other.chat.completions.create(**question)).model)


asyncio.run(main())
script = "import openai, sys; print(openai.types.chat.ChatCompletion.__name__, 'openai.resources.audio' in sys.modules)"
result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
