"""a namespace package shared by distributions: signed tokens, credentials of a service account, default lookup."""
# /// script
# dependencies = ["google-auth", "googleapis-common-protos", "cryptography"]
# ///

import google
import google.auth
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt
from google.oauth2 import service_account
from google.rpc import status_pb2

key = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
print(type(google).__name__, google.__spec__.origin, len(list(google.__path__)) >= 1)
credentials = service_account.Credentials.from_service_account_info(
    {
        "client_email": "a@example.org",
        "private_key": key,
        "token_uri": "https://example.org/token",
        "type": "service_account",
    }
)
print(credentials.service_account_email, credentials.with_scopes(["x"]).scopes, credentials.valid)
signer = crypt.RSASigner.from_string(key)
print(jwt.decode(jwt.encode(signer, {"iat": 1, "exp": 2, "aud": "x"}), verify=False))
try:
    google.auth.load_credentials_from_file("nothing.json")
except google.auth.exceptions.DefaultCredentialsError as error:
    print(error)
print(status_pb2.Status(code=5, message="x"))
