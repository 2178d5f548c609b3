"""Keys, signatures and files of allowed signers, made by ``ssh-keygen`` itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAMESPACE = "pybundle@bundleimp"


def ssh_keygen(*arguments: str | Path) -> None:
    """Run ``ssh-keygen``, which must succeed."""
    subprocess.run(["ssh-keygen", "-q", *map(str, arguments)], check=True, capture_output=True)  # noqa: S607


def make_key(path: Path, passphrase: str = "") -> Path:
    """Make a private key at *path*, and the public one beside it; return the private one."""
    ssh_keygen("-t", "ed25519", "-N", passphrase, "-C", path.name, "-f", path)
    return path


def public(key: Path) -> Path:
    """Return the public key that belongs to the private *key*."""
    return key.with_name(key.name + ".pub")


def sign(bundle: Path, key: Path, namespace: str = NAMESPACE) -> Path:
    """Sign *bundle* with *key*; return the signature."""
    signature = signature_of(bundle)
    signature.unlink(missing_ok=True)
    ssh_keygen("-Y", "sign", "-f", key, "-n", namespace, bundle)
    return signature


def signature_of(bundle: Path) -> Path:
    """Return where the signature of *bundle* is looked for."""
    return bundle.with_name(bundle.name + ".sig")


def allow(path: Path, keys: Mapping[str, Path], options: str = "") -> Path:
    """Write a file of allowed signers: *keys* by identity, all with *options*; return it."""
    path.write_text("".join(f"{name} {options} {public(key).read_text()}" for name, key in keys.items()))
    return path
