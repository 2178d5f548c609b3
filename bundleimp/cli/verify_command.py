"""``bundleimp verify``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from ..inspection.origin import Expected, check_origin
from .color import Styled
from .output import add_json, plural, print_json, show

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Check all checksums, names, sizes and offsets, RECORD, and that index and central directory match.
With options, also check the digest of the file, and who signed it.
Nothing in the file is run or unmarshalled.  Exit status 1: a check failed."""
EXAMPLES = (
    "bundleimp verify out.pybundle",
    "bundleimp verify out.pybundle --allowed-signers signers",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument("--sha256", metavar="HEX", help="the SHA-256 digest that the file must have")
    origin = parser.add_argument_group("signatures", "made by `bundleimp sign`, and checked by ssh-keygen")
    origin.add_argument(
        "--allowed-signers", metavar="FILE", help="the file of keys that may sign it; see ssh-keygen(1)"
    )
    origin.add_argument("--signature", metavar="FILE", help="its signature; default: BUNDLE.sig")
    origin.add_argument("--identity", metavar="NAME", help="the signer in FILE that must have signed it")
    origin.add_argument("--revoked-keys", metavar="FILE", help="keys that are not accepted any more")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only problems")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    bundle = open_bundle(arguments.bundle)
    expected = Expected(
        arguments.sha256,
        arguments.allowed_signers,
        arguments.signature,
        arguments.identity,
        arguments.revoked_keys,
    )
    origin = check_origin(bundle, expected)
    findings = origin.findings + bundle.verify()
    if arguments.json:
        data = {"sound": not findings, "findings": [asdict(finding) for finding in findings]}
        print_json(data if arguments.allowed_signers is None else data | {"signed_by": origin.signer})
    else:
        for finding in findings:
            show(f"{arguments.bundle}: ", Styled(str(finding), "bad"))
        if not findings and not arguments.quiet:
            facts = f", {plural(len(bundle.members), 'member')}, {bundle.layout}"
            show(f"{arguments.bundle}: ", Styled("sound", "good"), facts)
        if origin.signer is not None and not arguments.quiet:
            show(f"{arguments.bundle}: ", Styled(f"signed by {origin.signer}", "good"))
    return 1 if findings else 0
