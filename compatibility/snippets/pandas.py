"""CSV, groups, time zones, Parquet, HTML by a template in the package, pickling, plotting backends."""
# /// script
# dependencies = ["pandas", "jinja2", "pyarrow"]
# ///

import io
import pickle

import pandas as pd

frame = pd.read_csv(io.StringIO("city,when,value\nOslo,2024-03-30,1.5\nRome,2024-03-31,2\nOslo,2024-04-01,4\n"))
frame["when"] = pd.to_datetime(frame["when"]).dt.tz_localize("Europe/Oslo")
print(frame.groupby("city")["value"].agg(["mean", "max"]))
print(frame.set_index("when")["value"].resample("D").sum())
stream = io.BytesIO()
frame.to_parquet(stream)
print(pd.read_parquet(stream).equals(frame))
print(pickle.loads(pickle.dumps(frame)).equals(frame))
print(frame.style.set_uuid("x").format(precision=1).to_html())
print(frame.to_json(orient="records", date_format="iso"))
try:
    pd.plotting._core._get_plot_backend("nothing")
except ValueError as error:
    print(error)
print(frame.query("value > 1.5").to_string())
