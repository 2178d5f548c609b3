"""several locales, whose providers are found by listing packages; its command line."""

import subprocess
import sys

from faker import Faker
from faker.config import AVAILABLE_LOCALES

print(len(AVAILABLE_LOCALES) > 70)
for locale in ("de_DE", "ja_JP", "pt_BR", "en_US"):
    Faker.seed(5)
    fake = Faker(locale)
    print(fake.name(), fake.city(), fake.phone_number(), fake.company())
Faker.seed(5)
print(Faker(["it_IT", "sv_SE"]).profile(["name", "job"]), Faker().file_path(), Faker().credit_card_number())
print(
    subprocess.run(
        [sys.executable, "-m", "faker", "--seed", "3", "-l", "fr_FR", "address"], stdout=-1, text=True
    ).stdout
)
