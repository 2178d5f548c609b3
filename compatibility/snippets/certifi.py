"""the file of certificates: as a path that stays valid, as text, by its command line."""
# /// script
# dependencies = ["certifi"]
# [tool.compatibility]
# subset = true
# ///

import os
import ssl
import subprocess
import sys

import certifi

where = certifi.where()
print(where, os.path.getsize(where) == len(certifi.contents().encode()), certifi.where() == where)
print(len(ssl.create_default_context(cafile=where).get_ca_certs()) > 100, certifi.contents().count("BEGIN") > 100)
print(subprocess.run([sys.executable, "-m", "certifi"], stdout=-1, text=True).stdout.strip() == where)
