"""OpenSSL inside a Rust extension module and CFFI: AES-GCM, key derivation, a certificate, PEM."""

import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

print(AESGCM(bytes(16)).encrypt(bytes(12), b"secret", b"with").hex())
print(PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 1000).derive(b"password").hex())
key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
print(
    key.private_bytes(
        *(
            each
            for each in (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    ).decode()
)
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.org")])
start = datetime.datetime(2024, 1, 1)
certificate = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(5)
    .not_valid_before(start)
    .not_valid_after(start + datetime.timedelta(days=9))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("example.org")]), critical=False)
    .sign(key, None)
)
print(certificate.fingerprint(hashes.SHA256()).hex(), certificate.subject.rfc4514_string())
try:
    key.public_key().verify(bytes(64), b"data")
except InvalidSignature as error:
    print(type(error).__name__)
box = Fernet(Fernet.generate_key())
print(box.decrypt(box.encrypt(b"token")))
try:
    box.decrypt(b"nonsense")
except InvalidToken as error:
    print(type(error).__name__)
print(x25519.X25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw().hex())
