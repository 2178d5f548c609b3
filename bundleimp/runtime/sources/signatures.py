"""Who signed a bundle, as OpenSSH's ``ssh-keygen`` tells it.  Loaded only where bundles have to be signed.

A signature is what ``ssh-keygen -Y sign`` makes: detached, over the whole file, in the namespace `NAMESPACE`.  Nothing
of it is parsed or computed here.  ``ssh-keygen`` reads the bundle from the descriptor that is imported from afterwards,
and is started without a module that is not loaded yet: that could come from the very bundle.
"""

import os

from .. import TRACING, content, faults, trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class BundleFile(Protocol):
        """What is checked: `bundlefile.BundleFile`, or anything like that."""

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
    """Who may sign: an ``allowed_signers`` file, as ``ssh-keygen`` documents it.

    Attributes:
        path: the file's absolute path.

    """

    __slots__ = ("_revoked", "_told", "path")

    def __init__(self, path: str, revoked: "str | None" = None) -> None:
        """Make the signers that the file at *path* allows.

        Arguments:
            path: the file's absolute path; it is read at each check.
            revoked: path of a file of keys that are not accepted any more (``ssh-keygen -r``), or None.

        """
        self.path = path
        self._revoked = ["-r", revoked] if revoked is not None else []
        self._told = False

    def check(self, file: "BundleFile", signature: "str | None" = None, identity: "str | None" = None) -> str:
        """Return who signed *file*.

        Arguments:
            file: the open bundle.
            signature: path of the signature; default: the bundle's with `SUFFIX`.
            identity: who must have signed it; default: anybody who is allowed to.

        Raises:
            BundleSignatureError: there is no signature, or none of an allowed signer that matches the file.
            SignatureNotCheckedError: the signers cannot be read, or there is no ``ssh-keygen``.

        """
        try:
            principal = self._check(file, signature or file.path + SUFFIX, identity)
        except faults.kinds.SignatureNotCheckedError as error:
            # The reason lies in no bundle, and one word about it is enough.
            error.told, self._told = self._told, True
            raise
        self._told = False
        if TRACING:
            trace(f"{file.path}: signed by {principal}")
        return principal

    def _check(self, file: "BundleFile", signature: str, identity: "str | None") -> str:
        if file.content is not None:
            message = "cannot be signed, or shown to be: what this interpreter's open_code gives of it is not the file"
            raise faults.kinds.SignatureNotCheckedError(message, file=file.path)
        source = file.descriptor
        if not os.path.isfile(self.path) or not os.access(self.path, os.R_OK):
            message = "the file of allowed signers is missing or cannot be read, so no bundle can be shown to be signed"
            raise faults.kinds.SignatureNotCheckedError(message, file=self.path)
        if not os.path.isfile(signature):  # nothing else, such as a pipe, can make us wait
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
    """Have *file* signed by one of *signers*, now and when it has to be opened anew.

    Raises:
        BundleSignatureError: it is not; SignatureNotCheckedError: that cannot be checked.
        BundleChangedError: it was written to meanwhile.

    """
    file.signers = signers
    signers.check(file)
    if not content.status.same_version(os.fstat(file.descriptor), file.status):
        raise faults.opening.rewritten_while_checked(file.path)


def _run(arguments: "list[str]", source: int, wanted: int) -> "str | None":
    """Run ``ssh-keygen``; return what it wrote to its descriptor *wanted*, or None where it said no.

    Arguments:
        arguments: its arguments.
        source: the descriptor whose file is its standard input, from the beginning.
        wanted: `_STDOUT`; or `_STDERR`, which is returned whatever it said.

    Raises:
        SignatureNotCheckedError: it cannot be run, or nobody knows what it said.

    """
    if not hasattr(os, "posix_spawnp"):
        message = "signatures cannot be checked on this platform: its Python has no os.posix_spawnp"
        raise faults.kinds.SignatureNotCheckedError(message)
    opened: list[int] = []
    written = b""
    try:
        # Where the program has closed its standard descriptors, these have their numbers: the order matters.
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
    """Return what ``ssh-keygen`` says first about why it says no."""
    lines = (_run(arguments, source, _STDERR) or "").splitlines()
    return f"ssh-keygen: {lines[0]}" if lines else "ssh-keygen gives no reason"
