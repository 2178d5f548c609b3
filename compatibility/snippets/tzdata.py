"""the time zones of the standard library where the system has none."""

import datetime
import zoneinfo

zoneinfo.reset_tzpath(to=[])
for name in ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"):
    print(name, datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo(name)).isoformat())
print(len(zoneinfo.available_timezones()) > 500, zoneinfo.ZoneInfo("Europe/Oslo").key)
try:
    zoneinfo.ZoneInfo("Mars/Base")
except zoneinfo.ZoneInfoNotFoundError as error:
    print(error)
