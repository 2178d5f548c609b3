"""large shared libraries beside the package: tables, Parquet, data sets, computing, IPC, C headers."""

import os
import pickle

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet

table = pa.table({"k": ["a", "b", "a"], "n": [1, 2, 3], "t": pa.array([0, 1, 2], pa.timestamp("ms", "Europe/Oslo"))})
pa.parquet.write_table(table, "t.parquet", compression="zstd")
print(pa.parquet.read_table("t.parquet").equals(table), pa.parquet.read_metadata("t.parquet").num_row_groups)
print(
    table.group_by("k").aggregate([("n", "sum")]).sort_by("k").to_pydict(),
    pc.strftime(table["t"], "%Y-%m-%d %H").to_pylist(),
)
pa.dataset.write_dataset(table, "set", format="feather", partitioning=["k"], partitioning_flavor="hive")
print(pa.dataset.dataset("set", format="feather", partitioning="hive").to_table(filter=pc.field("n") > 1).num_rows)
pa.csv.write_csv(table, "t.csv")
print(pa.csv.read_csv("t.csv").schema)
print(pickle.loads(pickle.dumps(table)).equals(table), pa.default_memory_pool().backend_name)
print(
    os.path.isfile(os.path.join(pa.get_include(), "arrow", "api.h")),
    pa.get_libraries(),
    [os.path.isdir(p) for p in pa.get_library_dirs()],
)
try:
    pa.array([1, "x"])
except pa.ArrowInvalid as error:
    print(error)
