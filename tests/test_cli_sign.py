"""``sign``, and ``verify`` where it is told where a bundle comes from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp.inspection.bundle import open_bundle
from bundleimp.inspection.origin import Expected, check_origin

from .builders import clean_environment, make_bundle, make_zip
from .command_line import APP, bundleimp_command, error_of
from .platforms import needs_processes, needs_ssh_keygen, needs_terminals
from .signing import allow, make_key, public, sign, signature_of, ssh_keygen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RELEASE = "release@example.com"


@pytest.fixture(scope="module", name="original")
def _original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    make_bundle(folder / "app.pybundle", APP)
    return folder


@pytest.fixture(scope="module", name="keys")
def _keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    allow(folder / "allowed", {RELEASE: make_key(folder / "release_key")})
    allow(folder / "others", {"other@example.com": make_key(folder / "other_key")})
    return folder


@pytest.fixture(name="bundle")
def _bundle(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "shop") / "app.pybundle"


def verify(bundle: Path, allowed: Path, *arguments: str | Path, status: int = 0) -> str:
    """Verify *bundle*, and return what that printed about its origin."""
    options = ["--allowed-signers", allowed, *arguments]
    lines = bundleimp_command("verify", bundle, *options, status=status).stdout.splitlines()
    return "\n".join(line.removeprefix(f"{bundle}: ") for line in lines if ": sound, " not in line)


def origin(bundle: Path, allowed: Path, identity: str | None = None, revoked: Path | None = None) -> str:
    """Return who signed *bundle*, or else what is wrong with its signature."""
    expected = Expected(
        allowed_signers=str(allowed), identity=identity, revoked_keys=str(revoked) if revoked is not None else None
    )
    found = check_origin(open_bundle(bundle), expected)
    return "; ".join(map(str, found.findings)) if found.signer is None else f"signed by {found.signer}"


# The digest.


def test_the_digest_of_the_file_is_compared(bundle: Path) -> None:
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    for given in (digest, digest.upper()):
        assert "sound" in bundleimp_command("verify", bundle, "--sha256", given).stdout
    result = bundleimp_command("verify", bundle, "--sha256", "0" * 64, status=1)
    assert result.stdout == f"{bundle}: the SHA-256 digest of the file is {digest}, not {'0' * 64}\n"


@pytest.mark.parametrize("given", ["", "abc", "g" * 64, "0" * 63, "0" * 65, "\u0660" * 64])
def test_a_digest_that_is_none_is_bad_usage(bundle: Path, given: str) -> None:
    assert "--sha256 takes 64 hexadecimal digits" in error_of("verify", bundle, f"--sha256={given}", PYTHONUTF8="1")


# Signing.


@needs_ssh_keygen
@pytest.mark.parametrize("kind", ["bundle", "executable", "plain zip"])
def test_what_is_signed_is_verified_and_not_changed(bundle: Path, keys: Path, kind: str) -> None:
    if kind == "executable":
        bundle = make_bundle(bundle.with_name("tool.pybundle"), {"tool.py": ""}, entry_point="tool", standalone=True)
    elif kind == "plain zip":
        make_zip(bundle, APP)
    before = bundle.read_bytes(), bundle.stat().st_mtime_ns
    result = bundleimp_command("sign", bundle, "--key", keys / "release_key")
    assert (result.stdout, result.stderr) == (f"{bundle}: signed, {bundle}.sig\n", "")
    assert (bundle.read_bytes(), bundle.stat().st_mtime_ns) == before
    assert verify(bundle, keys / "allowed") == f"signed by {RELEASE}"


@needs_ssh_keygen
def test_the_namespace_is_ours_so_no_signature_for_other_things_counts(bundle: Path, keys: Path) -> None:
    bundleimp_command("sign", bundle, "--key", keys / "release_key")
    ours = ["-I", RELEASE, "-s", signature_of(bundle), "-f", keys / "allowed"]
    for namespace, status in (("pybundle@bundleimp", 0), ("file", 255)):
        command = ["ssh-keygen", "-Y", "verify", "-n", namespace, *map(str, ours)]
        with bundle.open("rb") as file:
            assert subprocess.run(command, stdin=file, capture_output=True, check=False).returncode == status


@needs_ssh_keygen
def test_a_signature_goes_where_it_is_asked_for_and_replaces_an_older_one(bundle: Path, keys: Path) -> None:
    output = bundle.with_name("elsewhere")
    output.write_text("old")
    os.link(output, output.with_name("kept"))
    result = bundleimp_command("sign", bundle, "--key", keys / "release_key", "--output", output, "--json")
    assert json.loads(result.stdout) == {"bundle": str(bundle), "signature": str(output)}
    assert not signature_of(bundle).exists()
    assert output.with_name("kept").read_text() == "old"  # it was renamed over, not written to
    assert verify(bundle, keys / "allowed", "--signature", output) == f"signed by {RELEASE}"
    mask = os.umask(0)
    os.umask(mask)
    assert output.stat().st_mode & 0o777 == 0o666 & ~mask


@needs_ssh_keygen
def test_a_signature_that_cannot_be_made_leaves_the_older_one(bundle: Path, keys: Path) -> None:
    signature_of(bundle).write_text("old")
    missing = keys / "no_key"
    assert error_of("sign", bundle, "--key", missing).startswith(
        f"{missing}: cannot sign with this key; ssh-keygen says: "
    )
    assert error_of("sign", bundle, "--key", bundle).startswith(
        f"{bundle}: cannot sign with this key; ssh-keygen says: "
    )
    assert signature_of(bundle).read_text() == "old"
    assert sorted(path.name for path in bundle.parent.iterdir()) == [
        *("app.pybundle", "app.pybundle.sig", "app.pybundle.source")
    ]


@needs_ssh_keygen
def test_a_signature_that_cannot_be_written_is_one_error(bundle: Path, keys: Path) -> None:
    for output in (bundle / "x.sig", bundle.parent):
        assert "cannot be written: " in error_of("sign", bundle, "--key", keys / "release_key", "--output", output)
    assert [path.name for path in bundle.parent.iterdir() if path.name.startswith(".")] == []


@needs_ssh_keygen
def test_what_is_no_bundle_is_not_signed(tmp_path: Path, keys: Path) -> None:
    file = tmp_path / "text.pybundle"
    file.write_text("no archive")
    assert f"{file}: is not a zip archive" in error_of("sign", file, "--key", keys / "release_key")
    assert "cannot be opened" in error_of("sign", tmp_path / "missing.pybundle", "--key", keys / "release_key")
    assert not signature_of(file).exists()


@needs_processes
def test_without_ssh_keygen_there_is_one_clear_line(bundle: Path) -> None:
    allowed = bundle.with_name("allowed")
    allowed.touch()
    signature_of(bundle).touch()
    commands: list[list[str | Path]] = [
        ["sign", bundle, "--key", allowed],
        ["verify", bundle, "--allowed-signers", allowed],
    ]
    for command in commands:
        assert error_of(*command, PATH="/nowhere").startswith("ssh-keygen cannot be run (No such file or directory)")


# pytest-xdist has a thread, for which 3.15 warns before it forks.  The child does nothing but start another program.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@needs_ssh_keygen
@needs_terminals
def test_a_passphrase_is_asked_for_on_the_terminal(bundle: Path, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    key = make_key(tmp_path / "locked_key", "a secret")
    environment = clean_environment()
    command = [sys.executable, "-m", "bundleimp", "sign", str(bundle), "--key", str(key)]
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, command, environment)  # noqa: S606 (the child that the terminal belongs to)
    shown = b""
    try:
        while piece := os.read(terminal, 1024):
            shown += piece
            if shown.endswith(b": ") and b"passphrase" in piece:
                os.write(terminal, b"a secret\n")
    except OSError:  # how Linux says that nobody has the terminal open any more
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert b": signed, " in shown
    assert verify(bundle, allow(tmp_path / "allowed", {RELEASE: key})) == f"signed by {RELEASE}"


@pytest.fixture(name="agent")
def _agent(tmp_path: Path) -> Iterator[str]:
    """An agent of our own, with no key in it yet; the name of its socket."""
    if shutil.which("ssh-agent") is None or shutil.which("ssh-add") is None:
        pytest.skip("needs ssh-agent and ssh-add")
    socket = str(tmp_path / "agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE) as process:  # noqa: S607
        assert process.stdout is not None
        process.stdout.readline()  # it says where it listens when it does
        yield socket
        process.terminate()


@needs_ssh_keygen
def test_a_public_key_signs_where_an_agent_has_its_private_half(bundle: Path, keys: Path, agent: str) -> None:
    key = make_key(bundle.with_name("agent_key"))
    environment = clean_environment(SSH_AUTH_SOCK=agent)
    subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True)  # noqa: S607
    key.unlink()
    bundleimp_command("sign", bundle, "--key", public(key), SSH_AUTH_SOCK=agent)
    assert verify(bundle, allow(bundle.with_name("allowed"), {RELEASE: key})) == f"signed by {RELEASE}"
    alone = shutil.copy(public(keys / "other_key"), bundle.with_name("other.pub"))
    assert f"{alone}: cannot sign with this key" in error_of("sign", bundle, "--key", alone, SSH_AUTH_SOCK=agent)


# Verifying.


@needs_ssh_keygen
def test_findings_about_a_signature(bundle: Path, keys: Path) -> None:
    missing = f"is not signed: there is no signature at {bundle}.sig"
    assert verify(bundle, keys / "allowed", status=1) == missing
    sign(bundle, keys / "release_key")
    assert verify(bundle, keys / "others", status=1).startswith("its signature is not by an allowed signer: ")
    bundle.write_bytes(bundle.read_bytes().replace(b"dist-info", b"Dist-info"))
    found = verify(bundle, keys / "allowed", status=1).splitlines()
    assert found[0].startswith("its signature is not a valid one of this file: ssh-keygen: ")
    assert len(found) > 1  # what else is wrong with it


@needs_ssh_keygen
def test_json_says_who_signed(bundle: Path, keys: Path) -> None:
    sign(bundle, keys / "release_key")
    for allowed, status, expected in (("allowed", 0, RELEASE), ("others", 1, None)):
        result = bundleimp_command("verify", bundle, "--json", "--allowed-signers", keys / allowed, status=status)
        data = json.loads(result.stdout)
        assert (data["sound"], data["signed_by"], len(data["findings"])) == (status == 0, expected, status)


@needs_ssh_keygen
def test_an_identity_must_be_that_of_the_signer(bundle: Path, keys: Path, tmp_path: Path) -> None:
    sign(bundle, keys / "release_key")
    allowed = allow(tmp_path / "allowed", {"*@example.com,boss": keys / "release_key", "ann": keys / "other_key"})
    assert verify(bundle, allowed, "--identity", "boss") == "signed by boss"
    for identity in ("any@example.com", "boss"):
        assert origin(bundle, allowed, identity) == f"signed by {identity}"
    for identity in ("ann", "any@example.org", "-x", ""):
        found = origin(bundle, allowed, identity)
        assert found.startswith(f"its signature is not a valid one of this file by {identity}: ")


@needs_ssh_keygen
@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ('namespaces="pybundle@bundleimp"', True),
        ('namespaces="pybundle@*,git"', True),
        ('namespaces="git,file"', False),
        ('valid-after="20200101",valid-before="29991231"', True),
        ('valid-before="20200101"', False),
        ('valid-after="29991231"', False),
        ("cert-authority", False),
    ],
)
def test_options_of_allowed_signers_count(bundle: Path, keys: Path, tmp_path: Path, options: str, counts: bool) -> None:
    sign(bundle, keys / "release_key")
    found = origin(bundle, allow(tmp_path / "allowed", {RELEASE: keys / "release_key"}, options))
    assert (found == f"signed by {RELEASE}") == counts


@needs_ssh_keygen
def test_a_key_with_a_certificate_signs_for_those_named_in_it(bundle: Path, keys: Path, tmp_path: Path) -> None:
    key = make_key(tmp_path / "certified_key")
    ssh_keygen("-s", keys / "release_key", "-I", "id", "-n", "ann@example.com", public(key))
    sign(bundle, tmp_path / "certified_key-cert.pub")
    allowed = allow(tmp_path / "allowed", {"*@example.com": keys / "release_key"}, "cert-authority")
    assert origin(bundle, allowed) == "signed by ann@example.com"
    assert "not a valid one of this file by bob" in origin(bundle, allowed, "bob@example.com")
    others = allow(tmp_path / "others", {"*@example.org": keys / "release_key"}, "cert-authority")
    assert origin(bundle, others).startswith("its signature is not by an allowed signer: ")


@needs_ssh_keygen
def test_a_revoked_key_is_not_accepted(bundle: Path, keys: Path, tmp_path: Path) -> None:
    sign(bundle, keys / "release_key")
    revoked = tmp_path / "revoked"
    revoked.write_text(public(keys / "other_key").read_text())
    assert origin(bundle, keys / "allowed", revoked=revoked) == f"signed by {RELEASE}"
    revoked.write_text(public(keys / "release_key").read_text())
    assert "not a valid one" in verify(bundle, keys / "allowed", "--revoked-keys", revoked, status=1)


def test_files_of_keys_that_cannot_be_read_are_bad_input(bundle: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert error_of("verify", bundle, "--allowed-signers", missing).startswith(
        f"{missing}: the file of allowed signers"
    )
    allowed = tmp_path / "allowed"
    allowed.touch()
    error = error_of("verify", bundle, "--allowed-signers", allowed, "--revoked-keys", missing)
    assert error.startswith(f"{missing}: the file of revoked keys")


@pytest.mark.parametrize("option", ["--signature", "--identity", "--revoked-keys"])
def test_an_option_about_signatures_alone_is_bad_usage(bundle: Path, option: str) -> None:
    assert "--allowed-signers" in error_of("verify", bundle, option, "x")


# Other commands.


@needs_ssh_keygen
def test_run_runs_what_is_signed_and_nothing_else(bundle: Path, keys: Path) -> None:
    sign(bundle, keys / "release_key")
    run: list[str | Path] = [
        "run",
        "--allowed-signers",
        keys / "allowed",
        bundle,
        "-m",
        "app",
        "--allowed-signers",
        "x",
    ]
    assert bundleimp_command(*run).stdout == "app ['--allowed-signers', 'x']\n"
    one_word: list[str | Path] = ["run", f"--allowed-signers={keys / 'allowed'}", bundle, "-m", "app"]
    assert bundleimp_command(*one_word).stdout == "app []\n"
    signature_of(bundle).unlink()
    assert error_of(*run).startswith(f"{bundle}: is not signed")
    assert error_of("run", bundle, "-m", "app", BUNDLEIMP_ALLOWED_SIGNERS=str(keys / "allowed")).startswith(
        f"{bundle}: is not signed"
    )


@needs_ssh_keygen
def test_run_runs_nothing_that_python_would_open_again(bundle: Path, keys: Path) -> None:
    renamed = bundle.rename(bundle.with_name("app.zip"))
    sign(renamed, keys / "release_key")
    script = "import app; print(type(app.__loader__).__name__)"
    run: list[str | Path] = ["run", "--allowed-signers", keys / "allowed", renamed, "-c", script]
    assert bundleimp_command(*run).stdout == "BundleLoader\n"
    signature_of(renamed).unlink()
    assert error_of(*run).startswith(f"{renamed}: is not signed")


@needs_ssh_keygen
def test_run_asks_for_signatures_in_child_processes_too(tmp_path: Path, keys: Path) -> None:
    unsigned = make_bundle(tmp_path / "unsigned.pybundle", {"unsigned.py": "print('ran')\n"})
    script = f"""
import os, subprocess, sys
sys.exit(subprocess.run([sys.executable, "-W", "ignore", "-c", "import unsigned"],
    env=os.environ | {{"PYTHONPATH": {str(unsigned)!r}}}, stderr=subprocess.DEVNULL).returncode)
"""
    bundle = make_bundle(tmp_path / "app.pybundle", {"__main__.py": script})
    sign(bundle, keys / "release_key")
    assert bundleimp_command("run", bundle).stdout == "ran\n"
    assert bundleimp_command("run", "--allowed-signers", keys / "allowed", bundle, status=1).stdout == ""


def test_info_tells_of_a_signature(bundle: Path) -> None:
    assert "\nsignature: " not in bundleimp_command("info", bundle).stdout
    signature_of(bundle).touch()
    assert f"\nsignature: {bundle}.sig; " in bundleimp_command("info", bundle).stdout
    assert json.loads(bundleimp_command("info", bundle, "--json").stdout)["signature"] == f"{bundle}.sig"


@needs_ssh_keygen
def test_doctor_tells_who_may_sign_and_which_bundles_are_not_signed_so(bundle: Path, keys: Path) -> None:
    path: dict[str, Any] = {"PYTHONPATH": str(bundle)}
    assert "signers" not in bundleimp_command("doctor", **path).stdout
    sign(bundle, keys / "release_key")
    for allowed, status, expected in (
        ("allowed", 0, f"ok       {bundle}: can be opened"),
        ("others", 1, f"PROBLEM  {bundle}: its signature is not by an allowed signer"),
        ("missing", 1, "PROBLEM  allowed signers: "),
    ):
        found = bundleimp_command("doctor", status=status, BUNDLEIMP_ALLOWED_SIGNERS=str(keys / allowed), **path)
        assert expected in found.stdout
        assert "allowed signers: " in found.stdout
