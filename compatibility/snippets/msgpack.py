"""the C packer and the fallback in pure Python, extension types, streams."""

import io

import msgpack
from msgpack import fallback

value = {
    "a": [1, -2, 3.5, None, True],
    "b": b"bytes",
    "c": "ü",
    "d": msgpack.Timestamp(5, 6),
    "e": msgpack.ExtType(3, b"x"),
}
for packer, unpacker in ((msgpack.Packer, msgpack.Unpacker), (fallback.Packer, fallback.Unpacker)):
    data = packer().pack(value)
    print(packer.__module__, data.hex())
    feed = unpacker(io.BytesIO(data * 2))
    print([each == value for each in feed])
try:
    msgpack.unpackb(b"\xc1")
except msgpack.FormatError as error:
    print(type(error).__name__)
