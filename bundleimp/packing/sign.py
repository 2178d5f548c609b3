"""Signing a bundle: ``ssh-keygen`` makes the signature, which stands beside the bundle."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from ..runtime.archive import find_end
from ..runtime.content.opening import open_file
from ..runtime.faults.kinds import BundleError, BundleFormatError
from ..runtime.sources.signatures import NAMESPACE, SUFFIX
from ..wholefile import write_whole

if TYPE_CHECKING:
    from ..runtime.bundlefile import BundleFile


def sign(bundle: str, key: str, output: str | None = None) -> str:
    """Write a detached SSH signature over the whole of *bundle*; return its path.

    It appears whole or not at all, in the place of an older one.  The bundle is only read.

    Arguments:
        bundle: path of the bundle, or of a plain zip.
        key: path of a private key; or of a public one, whose private half an agent (ssh-agent(1)) has.
        output: path of the signature; default: the bundle's with ``.sig``, where imports look for it.

    Raises:
        BundleFormatError: *bundle* is no zip archive.
        BundleError: ``ssh-keygen`` is missing or cannot sign, or the signature cannot be written.

    """
    file = open_file(bundle)
    try:
        find_end(file, 0, file.size)
    except BundleFormatError as error:
        error.file = error.path = bundle
        raise
    signature = _made(file, key)
    output = output if output is not None else bundle + SUFFIX
    write_whole(signature, output)
    return output


def _made(file: BundleFile, key: str) -> bytes:
    os.lseek(file.descriptor, 0, os.SEEK_SET)
    # A passphrase is asked for on the terminal, which ssh-keygen opens for itself.
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", os.path.abspath(key)]
    try:
        result = subprocess.run(command, stdin=file.descriptor, capture_output=True, check=False)  # noqa: S603 (no shell)
    except OSError as error:
        message = f"ssh-keygen cannot be run ({error.strerror}): install OpenSSH"
        raise BundleError(message) from None
    if result.returncode != 0 or not result.stdout:
        lines = result.stderr.decode("utf-8", "replace").splitlines()
        reason = lines[-1] if lines else f"exit status {result.returncode}"
        message = f"cannot sign with this key; ssh-keygen says: {reason}"
        raise BundleError(message, file=key)
    return result.stdout
