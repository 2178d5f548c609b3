"""the C library called without a compiler; generated C with the headers that the package carries."""

from cffi import FFI

ffi = FFI()
ffi.cdef("double sqrt(double); int strcmp(const char *, const char *); typedef struct { int x, y; } point;")
library = ffi.dlopen(None)
print(library.strcmp(b"a", b"a"), ffi.new("point *", {"x": 3, "y": 4}).y, ffi.sizeof("point"))
buffer = ffi.new("char[]", b"text")
print(ffi.string(buffer), ffi.buffer(buffer)[:4], ffi.typeof("int (*)(char *)").kind)
callback = ffi.callback("int(int)", lambda n: n + 1)
print(callback(4), ffi.getctype("point", "*"))
builder = FFI()
builder.cdef("int twice(int);")
builder.set_source("_twice", "int twice(int n) { return 2 * n; }")
builder.emit_c_code("twice.c")
source = open("twice.c").read()
print(len(source) > 10_000, "_cffi_f_twice" in source, "#define _CFFI_" in source)
builder = FFI()
builder.cdef("int abs(int);")
builder.set_source("_abs", None)
builder.emit_python_code("_abs.py")
print("ffi = _cffi_backend.FFI" in open("_abs.py").read())
