"""a Rust extension module; encodings found by listing a namespace package; an encoding of one's own."""

import tiktoken
import tiktoken_ext
from tiktoken import registry

print(registry.list_encoding_names(), type(tiktoken_ext.__path__).__name__)
ranks = {bytes([n]): n for n in range(256)} | {b"th": 256, b"the": 257, b" the": 258}
encoding = tiktoken.Encoding("own", pat_str=r" ?\w+|\s+|[^\w\s]+", mergeable_ranks=ranks, special_tokens={"<end>": 300})
tokens = encoding.encode("the other<end>", allowed_special="all")
print(tokens, encoding.decode(tokens), encoding.n_vocab, encoding.encode_batch(["the", "a"]))
try:
    encoding.encode("<end>")
except ValueError as error:
    print(str(error).splitlines()[0])
try:
    tiktoken.get_encoding("nothing")
except ValueError as error:
    print(str(error).splitlines()[0])
print(tiktoken.encoding_name_for_model("gpt-4o"))
