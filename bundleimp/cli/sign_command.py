"""``bundleimp sign``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..packing.sign import sign
from .output import add_json, print_json, show

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Write a detached SSH signature over the whole bundle, made by `ssh-keygen -Y sign`, to BUNDLE.sig.
`bundleimp verify --allowed-signers FILE` checks it, and so do imports where BUNDLEIMP_ALLOWED_SIGNERS is set."""
EXAMPLES = (
    "bundleimp sign out.pybundle --key ~/.ssh/id_ed25519",
    "bundleimp sign out.pybundle --key ~/.ssh/id_ed25519 --output release.sig",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument(
        "--key",
        metavar="FILE",
        required=True,
        help="a private key, whose passphrase is asked for on the terminal, or a public key whose private half is"
        " in ssh-agent",
    )
    parser.add_argument("--output", metavar="FILE", help="where the signature goes; default: BUNDLE.sig")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    signature = sign(arguments.bundle, arguments.key, arguments.output)
    if arguments.json:
        print_json({"bundle": arguments.bundle, "signature": signature})
    elif not arguments.quiet:
        show(f"{arguments.bundle}: signed, {signature}")
    return 0
