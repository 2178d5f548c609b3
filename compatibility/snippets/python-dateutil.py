"""rules, fuzzy parsing, and the archive of time zones that the package carries."""

import datetime
import pickle

from dateutil import easter, parser, relativedelta, rrule, tz, utils
from dateutil.zoneinfo import get_zonefile_instance, rebuild

start = datetime.datetime(2024, 1, 31)
print(list(rrule.rrule(rrule.MONTHLY, count=3, dtstart=start, bymonthday=-1)))
print(rrule.rrulestr("FREQ=WEEKLY;COUNT=2;BYDAY=MO", dtstart=start)[1], easter.easter(2024))
print(
    parser.parse("Thu Sep 25 10:36:28 2003 CET", tzinfos={"CET": 3600}),
    parser.parse("due 3 May 2024 ok", fuzzy_with_tokens=True),
)
zones = get_zonefile_instance()
print(
    len(zones.zones) > 500, zones.get("Europe/Berlin").utcoffset(datetime.datetime(2024, 7, 1)), sorted(zones.metadata)
)
print(start + relativedelta.relativedelta(months=1), pickle.loads(pickle.dumps(zones.get("Asia/Tokyo"))))
print(tz.resolve_imaginary(datetime.datetime(2024, 3, 31, 2, 30, tzinfo=tz.gettz("Europe/Berlin"))), rebuild.__name__)
print(utils.within_delta(start, start, datetime.timedelta(0)))
