"""metadata and geographic data in hundreds of lazily imported modules."""

import phonenumbers
from phonenumbers import carrier, geocoder, timezone

for text, region in (
    ("+49 30 901820", None),
    ("020 8366 1177", "GB"),
    ("+81 90-1234-5678", None),
    ("650 253 0000", "US"),
):
    number = phonenumbers.parse(text, region)
    print(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
        phonenumbers.is_valid_number(number),
    )
    print(
        geocoder.description_for_number(number, "de"),
        carrier.name_for_number(number, "en"),
        timezone.time_zones_for_number(number),
    )
print([match.raw_string for match in phonenumbers.PhoneNumberMatcher("call 510-748-8230 or 703-480-0500", "US")])
print(len(phonenumbers.SUPPORTED_REGIONS) > 200, phonenumbers.example_number("FR"))
formatter = phonenumbers.AsYouTypeFormatter("US")
print([formatter.input_digit(digit) for digit in "6502530000"][-1])
try:
    phonenumbers.parse("nothing")
except phonenumbers.NumberParseException as error:
    print(error)
