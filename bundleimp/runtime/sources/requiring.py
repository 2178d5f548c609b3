"""Require that bundles are signed."""

import os

from .. import bundles, content, faults
from . import signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bundles import OpenBundle

ALLOWED_SIGNERS = "BUNDLEIMP_ALLOWED_SIGNERS"


def require_signers(path: str) -> None:
    """Use only bundles signed by a signer whom the ``allowed_signers`` file at *path* allows.

    The same holds for child processes, whatever their working directory is.  It also holds for the embedded runtime of
    an executable, if that runtime takes over.

    Raises:
        BundleSignatureError: a bundle in use is not signed so.  Nothing more is imported from any such bundle.

    """
    bundles.OpenBundle.require = staticmethod(require)
    signers = bundles.OpenBundle.signers = signatures.Signers(bundles.absolute(path))
    os.environ[ALLOWED_SIGNERS] = signers.path
    # A bundle that another thread is opening is looked at by that thread, after it has put it into use.
    opened = [bundle for bundle in list(bundles.in_use.values()) if bundle.archive is not None]
    for bundle in opened:
        require(bundle)
    for bundle in opened:
        if bundle.fault is not None:
            bundle.reported = True
            content.refreshing.check(bundle)


def require(bundle: "OpenBundle") -> None:
    """Stop using the version of *bundle* in use, unless one of the signers has signed it."""
    archive, signers = bundle.archive, bundle.signers
    try:
        if archive is not None and signers is not None and archive.file.signers is not signers:
            signatures.require(archive.file, signers)
    except faults.kinds.BundleFormatError as error:
        bundle.reported = False
        content.refreshing.exchange(bundle, bundle.status, None, error)
        bundle.settled = False
