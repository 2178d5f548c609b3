"""databases as resources, and translations found through the package's folder of locales."""

import gettext

import pycountry

print(pycountry.countries.get(alpha_2="DE"), pycountry.countries.search_fuzzy("Norw")[0].name)
print(
    len(pycountry.languages) > 7000,
    pycountry.currencies.get(numeric="978").name,
    pycountry.scripts.get(alpha_4="Latn").name,
)
print(
    sorted(part.name for part in pycountry.subdivisions.get(country_code="LI"))[:3], len(pycountry.historic_countries)
)
german = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["de"])
print(german.gettext("Germany"), german.gettext("Iceland"))
