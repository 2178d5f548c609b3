"""backends by entry points and by listing packages; its command line."""
# /// script
# dependencies = ["keyring", "keyrings.alt"]
# ///

import os
import subprocess
import sys

import keyring
import keyring.backend
from keyrings.alt.file import PlaintextKeyring

print(sorted(type(each).__module__ + "." + type(each).__name__ for each in keyring.backend.get_all_keyring()))
keyring.set_keyring(PlaintextKeyring())
keyring.set_password("service", "user", "secret")
print(keyring.get_password("service", "user"), keyring.get_credential("service", "user").username)
variables = os.environ | {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
command = [sys.executable, "-m", "keyring"]
print(subprocess.run([*command, "get", "service", "user"], env=variables, stdout=-1, text=True).stdout)
result = subprocess.run([*command, "--list-backends"], env=variables, stdout=-1, text=True)
print(result.returncode, sorted(result.stdout.splitlines()))
