"""Check the signature of a bundle with OpenSSH's ``ssh-keygen``.

This module is loaded only if bundles must be signed.  A signature is the output of ``ssh-keygen -Y sign``: detached,
over the whole file, in the namespace `NAMESPACE`.  This module does not parse or compute signatures.  ``ssh-keygen``
reads the bundle from the same descriptor that imports use afterwards.  It is started without importing a module that is
not loaded yet, because that module could come from the unchecked bundle itself.
"""

import os

from .. import TRACING, content, faults, trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class BundleFile(Protocol):
        """The file to check: `bundlefile.BundleFile`, or an object with the same attributes."""

        path: str
        descriptor: int
        content: "bytes | None"
        status: os.stat_result
        signers: "Signers | None"


NAMESPACE = "pybundle@bundleimp"
SUFFIX = ".sig"
_PROGRAM = "ssh-keygen"
_STDOUT, _STDERR = 1, 2


class Signers:
    """The allowed signers: an ``allowed_signers`` file, as ``ssh-keygen`` documents it.

    Attributes:
        path: the file's absolute path.

    """

    __slots__ = ("_revoked", "_told", "path")

    def __init__(self, path: str, revoked: "str | None" = None) -> None:
        """Make the set of signers that the file at *path* allows.

        Arguments:
            path: the file's absolute path.  The file is read at each check.
            revoked: path of a file of revoked keys (``ssh-keygen -r``), or None.

        """
        self.path = path
        self._revoked = ["-r", revoked] if revoked is not None else []
        self._told = False

    def check(self, file: "BundleFile", signature: "str | None" = None, identity: "str | None" = None) -> str:
        """Return the identity that signed *file*.

        Arguments:
            file: the open bundle.
            signature: path of the signature; default: the bundle's path with `SUFFIX`.
            identity: the identity that must have signed the file; default: any allowed signer.

        Raises:
            BundleSignatureError: the signature is missing, does not match the file, or is not an allowed signer's.
            SignatureNotCheckedError: the signers cannot be read, or ``ssh-keygen`` is missing.

        """
        try:
            principal = self._check(file, signature or file.path + SUFFIX, identity)
        except faults.kinds.SignatureNotCheckedError as error:
            # The reason is not in a particular bundle, so one warning about it is enough.
            error.told, self._told = self._told, True
            raise
        self._told = False
        if TRACING:
            trace("signed", name=principal, path=file.path)
        return principal

    def _check(self, file: "BundleFile", signature: str, identity: "str | None") -> str:
        if file.content is not None:
            message = "cannot be signed, or shown to be: what this interpreter's open_code gives of it is not the file"
            raise faults.kinds.SignatureNotCheckedError(message, file=file.path)
        source = file.descriptor
        if not os.path.isfile(self.path) or not os.access(self.path, os.R_OK):
            message = "the file of allowed signers is missing or cannot be read, so no bundle can be shown to be signed"
            raise faults.kinds.SignatureNotCheckedError(message, file=self.path)
        if not os.path.isfile(signature):  # reading any other file, such as a pipe, could wait forever
            message = f"is not signed: there is no signature at {signature}"
            raise faults.kinds.BundleSignatureError(message, file=file.path)
        known = ["-s", signature, "-f", self.path]
        principals = _run(["-Y", "find-principals", *known], source, _STDOUT)
        if not principals:
            reason = _reason(["-Y", "find-principals", *known], source)
            message = f"its signature is not by an allowed signer: {reason}"
            raise faults.kinds.BundleSignatureError(message, file=file.path)
        verify = ["-Y", "verify", "-n", NAMESPACE, *self._revoked, *known]
        for principal in [identity] if identity is not None else principals.splitlines():
            if _run([*verify, "-I", principal], source, _STDOUT) is not None:
                return principal
        reason = _reason([*verify, "-I", principal], source)
        by = f" by {identity}" if identity is not None else ""
        message = f"its signature is not a valid one of this file{by}: {reason}"
        raise faults.kinds.BundleSignatureError(message, file=file.path)


def require(file: "BundleFile", signers: Signers) -> None:
    """Require that one of *signers* has signed *file*, now and whenever the file is reopened.

    Raises:
        BundleSignatureError: the file is not signed so.  SignatureNotCheckedError: the signature cannot be checked.
        BundleChangedError: the file was written to meanwhile.

    """
    signers.check(file)
    file.signers = signers
    if not content.status.same_version(os.fstat(file.descriptor), file.status):
        raise faults.opening.rewritten_while_checked(file.path)


def _run(arguments: "list[str]", source: int, wanted: int) -> "str | None":
    """Run ``ssh-keygen``.  Return its output on the descriptor *wanted*, or None if it rejected the signature.

    Arguments:
        arguments: the arguments of ``ssh-keygen``.
        source: the descriptor of the file to use as standard input, from the beginning.
        wanted: `_STDOUT`, or `_STDERR`, whose output is returned in any case.

    Raises:
        SignatureNotCheckedError: ``ssh-keygen`` cannot be run, or its result is unknown.

    """
    if not hasattr(os, "posix_spawnp"):
        message = "signatures cannot be checked on this platform: its Python has no os.posix_spawnp"
        raise faults.kinds.SignatureNotCheckedError(message)
    opened: list[int] = []
    written = b""
    try:
        # If the program has closed its standard descriptors, the new ones get their numbers, so the order matters.
        opened.append(os.dup(source))
        opened += os.pipe()
        copy, reader, writer = opened
        os.lseek(copy, 0, os.SEEK_SET)
        actions = [
            (os.POSIX_SPAWN_DUP2, copy, 0),
            (os.POSIX_SPAWN_DUP2, writer, wanted),
            (os.POSIX_SPAWN_OPEN, _STDOUT + _STDERR - wanted, os.devnull, os.O_WRONLY, 0),
        ]
        child = os.posix_spawnp(_PROGRAM, [_PROGRAM, *arguments], os.environ, file_actions=actions)
        os.close(opened.pop())
        while more := os.read(reader, 65536):
            written += more
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:
        message = (
            "what ssh-keygen found is lost: the program ignores SIGCHLD, or waits for children that are not its own"
        )
        raise faults.kinds.SignatureNotCheckedError(message) from None
    except OSError as error:
        message = f"ssh-keygen cannot be run ({error.strerror}), so no signature can be checked: install OpenSSH"
        raise faults.kinds.SignatureNotCheckedError(message) from None
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return os.fsdecode(written) if status == 0 or wanted == _STDERR else None


def _reason(arguments: "list[str]", source: int) -> str:
    """Return the first reason that ``ssh-keygen`` reports for rejecting the signature."""
    lines = (_run(arguments, source, _STDERR) or "").splitlines()
    return f"ssh-keygen: {lines[0]}" if lines else "ssh-keygen gives no reason"
