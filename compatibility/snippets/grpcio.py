"""a server and its clients in one process, plain, streaming and asynchronous, with a large extension module."""

import asyncio
import concurrent.futures

import grpc
import grpc.aio

handlers = {
    "Upper": grpc.unary_unary_rpc_method_handler(lambda request, context: request.upper()),
    "Count": grpc.unary_stream_rpc_method_handler(lambda request, context: (b"%d" % n for n in range(int(request)))),
    "Fail": grpc.unary_unary_rpc_method_handler(
        lambda request, context: context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
    ),
}
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", handlers),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    print(channel.unary_unary("/test.Service/Upper")(b"hello", timeout=20))
    print(list(channel.unary_stream("/test.Service/Count")(b"3", timeout=20)))
    try:
        channel.unary_unary("/test.Service/Fail")(b"", timeout=20)
    except grpc.RpcError as error:
        print(error.code(), error.details())


async def ask():
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        return await channel.unary_unary("/test.Service/Upper")(b"async", timeout=20)


print(asyncio.run(ask()))
server.stop(None).wait()
print(grpc.ssl_channel_credentials().__class__.__name__)
