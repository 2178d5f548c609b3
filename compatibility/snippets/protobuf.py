"""messages made at run time in the C implementation, well-known types, JSON and text forms, pickling."""

import datetime

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
    struct_pb2,
    text_format,
    timestamp_pb2,
)
from google.protobuf.internal import api_implementation

file = descriptor_pb2.FileDescriptorProto(name="item.proto", package="shop", syntax="proto3")
message = file.message_type.add(name="Item")
message.field.add(name="name", number=1, type=9, label=1)
message.field.add(name="prices", number=2, type=1, label=3)
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
Item = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Item"))
item = Item(name="bolt", prices=[1.5, 2])
print(
    item.SerializeToString().hex(), Item.FromString(item.SerializeToString()) == item, text_format.MessageToString(item)
)
print(json_format.MessageToJson(item, indent=None), json_format.Parse('{"a": [1]}', struct_pb2.Struct())["a"][0])
stamp = timestamp_pb2.Timestamp()
stamp.FromDatetime(datetime.datetime(2024, 2, 29))
boxed = any_pb2.Any()
boxed.Pack(stamp)
print(stamp.ToJsonString(), boxed.type_url, api_implementation.Type())
