"""locale data, which are pickles beside the package; extraction of messages by entry points; its command line."""
# /// script
# dependencies = ["babel"]
# [tool.compatibility]
# subset = true
# ///

import datetime
import decimal
import pathlib
import subprocess
import sys

from babel import Locale, dates, languages, localedata, numbers, units
from babel.messages import extract

when = datetime.datetime(2024, 2, 29, 15, 4, tzinfo=datetime.UTC)
for name in ("de_DE", "ja_JP", "ar_EG", "pt_BR"):
    print(
        dates.format_datetime(when, "full", locale=name),
        numbers.format_currency(decimal.Decimal("1234.5"), "EUR", locale=name),
    )
    print(units.format_unit(3, "length-meter", locale=name), Locale.parse(name).get_display_name("en"))
print(len(localedata.locale_identifiers()) > 900, localedata.exists("de_AT"))
print(dates.get_timezone_name("Europe/Berlin", locale="fr"), languages.get_official_languages("CH"))
print(Locale("pl").plural_form(3), dates.format_timedelta(datetime.timedelta(days=3), locale="sv"))
pathlib.Path("app.py").write_text("print(_('hello'), ngettext('one', 'many', 2))\n")
print(list(extract.extract_from_file("python", "app.py")))
command = [sys.executable, "-m", "babel.messages.frontend", "extract", "-o", "out.pot", "--omit-header", "app.py"]
print(subprocess.run(command, capture_output=True, text=True).returncode, pathlib.Path("out.pot").read_text())
