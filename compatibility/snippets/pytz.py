"""the time zone files in the package, country names, pickling."""
# /// script
# dependencies = ["pytz"]
# [tool.compatibility]
# subset = true
# ///

import datetime
import pickle

import pytz

berlin = pytz.timezone("Europe/Berlin")
print(
    berlin.localize(datetime.datetime(2024, 3, 31, 4)),
    berlin.normalize(berlin.localize(datetime.datetime(2024, 3, 31, 1)) + datetime.timedelta(hours=1)),
)
print(len(pytz.all_timezones) > 500, pytz.country_names["is"], pytz.country_timezones["nz"])
print(pickle.loads(pickle.dumps(berlin)) is berlin, "Asia/Tokyo" in pytz.common_timezones_set)
try:
    pytz.timezone("Mars/Base")
except pytz.UnknownTimeZoneError as error:
    print(repr(error))
print(pytz.resource_exists("zone.tab"), pytz.open_resource("zone.tab").readline())
