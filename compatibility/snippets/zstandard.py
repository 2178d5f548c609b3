"""the C and the CFFI implementation, a trained dictionary, streams."""
# /// script
# dependencies = ["zstandard[cffi]"]
# [tool.compatibility]
# subset = true
# ///

import hashlib
import io
import os
import subprocess
import sys

if len(sys.argv) == 1:
    for policy in ("cext", "cffi"):
        command = [sys.executable, "-P", __file__, policy]
        variables = os.environ | {"PYTHON_ZSTANDARD_IMPORT_POLICY": policy}
        print(subprocess.run(command, env=variables, stdout=-1, text=True, check=True).stdout, end="")
    sys.exit()

import zstandard

print(zstandard.backend)
samples = [b"record %d of many with the value %d" % (n, n * 7919) for n in range(2000)]
dictionary = zstandard.train_dictionary(2048, samples)
compressor = zstandard.ZstdCompressor(level=9, dict_data=dictionary)
packed = compressor.compress(samples[5])
print(len(packed) < len(samples[5]), hashlib.sha256(packed).hexdigest()[:12])
print(zstandard.ZstdDecompressor(dict_data=dictionary).decompress(packed))
stream = io.BytesIO()
with zstandard.ZstdCompressor().stream_writer(stream, closefd=False) as writer:
    writer.write(b"ab" * 9999)
print(len(stream.getvalue()), len(zstandard.ZstdDecompressor().stream_reader(stream.getvalue()).read()))
