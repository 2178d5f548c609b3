"""a large Rust extension module in a distribution of its own: lazy frames, files, pickling, functions by users."""
# /// script
# dependencies = ["polars"]
# ///

import io
import pickle

import polars as pl

frame = pl.DataFrame({"city": ["Oslo", "Rome", "Oslo"], "value": [1.5, 2.0, 4.0]}).with_columns(
    when=pl.date_range(pl.date(2024, 2, 28), pl.date(2024, 3, 1), eager=False)
)
print(frame.lazy().filter(pl.col("value") > 1).group_by("city").agg(pl.sum("value")).sort("city").collect())
stream = io.BytesIO()
frame.write_parquet(stream)
print(pl.read_parquet(stream.getvalue()).equals(frame), pickle.loads(pickle.dumps(frame)).equals(frame))
print(
    frame.write_csv(),
    pl.SQLContext(f=frame).execute("select city, max(value) m from f group by city order by m").collect(),
)
print(frame.select(pl.col("value").map_elements(lambda x: x * 2, return_dtype=pl.Float64))["value"].to_list())
print(frame.lazy().select(pl.col("value").rolling_mean(2)).explain())
try:
    frame.select("nothing")
except pl.exceptions.ColumnNotFoundError as error:
    print(type(error).__name__)
