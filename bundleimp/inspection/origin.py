"""Where a bundle comes from: its digest, and who signed it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..runtime.faults.kinds import BundleError, BundleSignatureError, SignatureNotCheckedError
from ..runtime.sources.signatures import SUFFIX, Signers
from .finding import Finding

if TYPE_CHECKING:
    from .reader import BundleReader

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Expected:
    """Where a bundle should come from.  A field that is None is not checked.

    Attributes:
        sha256: the digest of the whole file, in hexadecimal digits.
        allowed_signers: path of a file that says who may have signed it; see ssh-keygen(1).
        signature: path of the signature; None: the bundle's with ``.sig``.
        identity: which of the allowed signers must have signed it.
        revoked_keys: path of a file of keys that are not accepted any more.

    """

    sha256: str | None = None
    allowed_signers: str | None = None
    signature: str | None = None
    identity: str | None = None
    revoked_keys: str | None = None


@dataclass
class Origin:
    """Where a bundle comes from: its signer, if one was expected and has signed it, and what is not as expected."""

    signer: str | None = None
    findings: list[Finding] = field(default_factory=list)


def check_origin(bundle: BundleReader, expected: Expected) -> Origin:
    """Return where *bundle* comes from, compared with what is *expected*.

    Raises:
        BundleError: the expected digest is not one, or a signature is expected without allowed signers.
        SignatureNotCheckedError: a file of keys cannot be read, or there is no ``ssh-keygen``.

    """
    origin = Origin()
    if expected.sha256 is not None:
        origin.findings += _digest_findings(bundle, expected.sha256)
    if expected.allowed_signers is not None:
        try:
            origin.signer = _signer(bundle, expected, expected.allowed_signers)
        except SignatureNotCheckedError:
            raise
        except BundleSignatureError as error:
            origin.findings.append(Finding(error.message))
    elif (expected.signature, expected.identity, expected.revoked_keys) != (None, None, None):
        message = "--signature, --identity and --revoked-keys need --allowed-signers"
        raise BundleError(message)
    return origin


def _digest_findings(bundle: BundleReader, expected: str) -> list[Finding]:
    if re.fullmatch("[0-9a-fA-F]{64}", expected) is None:
        message = f"--sha256 takes 64 hexadecimal digits, not {expected!r}"
        raise BundleError(message)
    digest = hashlib.sha256()
    for offset in range(0, bundle.size, _CHUNK):
        digest.update(bundle.file.read(offset, min(_CHUNK, bundle.size - offset)))
    if digest.hexdigest() == expected.lower():
        return []
    return [Finding(f"the SHA-256 digest of the file is {digest.hexdigest()}, not {expected.lower()}")]


def _signer(bundle: BundleReader, expected: Expected, allowed_signers: str) -> str:
    revoked = expected.revoked_keys
    if revoked is not None and not os.access(revoked, os.R_OK):
        message = "the file of revoked keys is missing or cannot be read"
        raise SignatureNotCheckedError(message, file=revoked)
    signers = Signers(os.path.abspath(allowed_signers), os.path.abspath(revoked) if revoked is not None else None)
    signature = expected.signature if expected.signature is not None else bundle.path + SUFFIX
    return signers.check(bundle.file, os.path.abspath(signature), expected.identity)
