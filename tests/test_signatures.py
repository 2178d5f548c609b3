"""Imports where bundles have to be signed: only from those that are, and from what was checked."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp.runtime.archive import Archive
from bundleimp.runtime.bundlefile import BundleFile
from bundleimp.runtime.faults.kinds import BundleSignatureError, SignatureNotCheckedError
from bundleimp.runtime.sources.signatures import Signers

from .builders import Tree, make_bundle, make_tree, make_zip, run_python
from .platforms import needs_ssh_keygen, needs_threads
from .signing import allow, make_key, sign, signature_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

pytestmark = needs_ssh_keygen

LIBRARY: Tree = {
    "mypkg/__init__.py": "print('code ran')\n",
    "mypkg/data.txt": "text",
    "mypkg/sub.py": "",
    "dist-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: dist\nVersion: 1\n",
}
TREE = LIBRARY | {"__main__.py": "print('main ran')\n"}
IN_SITE = "import os\nprint('in a site' if os.listdir(os.path.dirname(__file__)) else '')\n"
RELEASE = "release@example.com"


@dataclass
class Shop:
    """A signed bundle and who may sign it.

    Attributes:
        folder: where all of it is.
        bundle: the bundle.
        key: the key that it is signed with.
        allowed: the file of allowed signers.

    """

    folder: Path
    bundle: Path
    key: Path
    allowed: Path

    @property
    def signature(self) -> Path:
        return signature_of(self.bundle)

    def repack(self, tree: Tree, **options: Any) -> None:
        """Put another bundle in the place of the signed one."""
        shutil.rmtree(self.folder / f"{self.bundle.name}.source")
        make_bundle(self.bundle, tree, **options)

    def python(
        self, script: str, *, path: bool = True, status: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run *script* where bundles have to be signed, with the bundle on PYTHONPATH or not."""
        usual = {"BUNDLEIMP_ALLOWED_SIGNERS": str(self.allowed), "BUNDLEIMP_CACHE_DIR": str(self.folder / "cache")}
        variables = usual | variables
        entries = [self.bundle] if path else []
        result = run_python("-c", script, path=entries, cwd=self.folder, check=False, **variables)
        assert result.returncode == status, f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}"
        return result

    def refused(self, script: str = "import mypkg", *, path: bool = True, **variables: str) -> str:
        """Run *script*, which must not find ``mypkg``; return the one warning that says why."""
        result = self.python(script, path=path, status=1, **variables)
        assert (result.stdout, "No module named 'mypkg'" in result.stderr) == ("", True), result.stderr
        warnings = [line for line in result.stderr.splitlines() if "BundleWarning" in line]
        assert len(warnings) == 1, result.stderr
        return warnings[0]


@pytest.fixture(scope="module", name="original")
def _original(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("signed")
    bundle = make_bundle(folder / "out.pybundle", TREE)
    key = make_key(folder / "release_key")
    make_key(folder / "other_key")
    sign(bundle, key)
    return Shop(folder, bundle, key, allow(folder / "allowed", {RELEASE: key}))


@pytest.fixture(name="shop")
def _shop(original: Shop, tmp_path: Path) -> Shop:
    folder = shutil.copytree(original.folder, tmp_path / "shop")
    return Shop(folder, *(folder / path.name for path in (original.bundle, original.key, original.allowed)))


# What is imported, and what is not.


@pytest.mark.parametrize("kind", ["flat", "nested", "executable", "plain zip"])
def test_a_signed_bundle_is_imported_from(shop: Shop, kind: str) -> None:
    if kind == "plain zip":
        make_zip(shop.bundle, LIBRARY)
    elif kind == "executable":
        shop.repack(LIBRARY, entry_point="mypkg.sub", standalone=True)
    else:
        shop.repack(LIBRARY, layout=kind)
    assert "is not a valid one of this file" in shop.refused()
    sign(shop.bundle, shop.key)
    result = shop.python("import mypkg, mypkg.sub; print(mypkg.__loader__.archive.path)", PYTHONWARNINGS="error")
    assert (result.stdout, result.stderr) == (f"code ran\n{shop.bundle}\n", "")


def _unsigned(shop: Shop) -> None:
    shop.signature.unlink()


def _empty(shop: Shop) -> None:
    shop.signature.write_bytes(b"")


def _noise(shop: Shop) -> None:
    shop.signature.write_bytes(os.urandom(300))


def _by_another_key(shop: Shop) -> None:
    sign(shop.bundle, shop.folder / "other_key")


def _for_another_namespace(shop: Shop) -> None:
    sign(shop.bundle, shop.key, "file")


def _of_another_bundle(shop: Shop) -> None:
    other = make_bundle(shop.folder / "other.pybundle", {"other.py": ""})
    os.replace(sign(other, shop.key), shop.signature)


def _by_an_expired_key(shop: Shop) -> None:
    allow(shop.allowed, {RELEASE: shop.key}, 'valid-before="20200101"')


def _by_a_key_for_other_things(shop: Shop) -> None:
    allow(shop.allowed, {RELEASE: shop.key}, 'namespaces="git,file"')


def _where_nobody_may_sign(shop: Shop) -> None:
    shop.allowed.write_text("# nobody\n")


def _through_a_dangling_link(shop: Shop) -> None:
    shop.signature.unlink()
    shop.signature.symlink_to("nowhere")


def _in_a_directory(shop: Shop) -> None:
    shop.signature.unlink()
    shop.signature.mkdir()


def _in_a_pipe(shop: Shop) -> None:
    shop.signature.unlink()
    os.mkfifo(shop.signature)


REFUSED: dict[Callable[[Shop], None], str] = {
    _unsigned: "is not signed: there is no signature at ",
    _empty: "its signature is not by an allowed signer: ",
    _noise: "its signature is not by an allowed signer: ",
    _by_another_key: "its signature is not by an allowed signer: ",
    _for_another_namespace: "its signature is not a valid one of this file: ",
    _of_another_bundle: "its signature is not a valid one of this file: ",
    _by_an_expired_key: "its signature is not by an allowed signer: ssh-keygen: .* expired",
    _by_a_key_for_other_things: "its signature is not a valid one of this file: ssh-keygen: .*namespace",
    _where_nobody_may_sign: "its signature is not by an allowed signer: ",
    _through_a_dangling_link: "is not signed: there is no signature at ",
    _in_a_directory: "is not signed: there is no signature at ",
    _in_a_pipe: "is not signed: there is no signature at ",
}


@pytest.mark.parametrize("spoil", REFUSED)
def test_any_other_signature_is_refused(shop: Shop, spoil: Callable[[Shop], None]) -> None:
    assert Archive(str(shop.bundle), Signers(str(shop.allowed))).indexed
    spoil(shop)
    with pytest.raises(BundleSignatureError, match=REFUSED[spoil]) as caught:
        Archive(str(shop.bundle), Signers(str(shop.allowed)))
    assert caught.value.file == str(shop.bundle)


@pytest.mark.parametrize("spoil", [_unsigned, _by_another_key, _of_another_bundle])
def test_a_bundle_that_is_not_signed_is_one_warning_and_finds_nothing(
    shop: Shop, spoil: Callable[[Shop], None]
) -> None:
    spoil(shop)
    assert f"{shop.bundle}: {REFUSED[spoil]}" in shop.refused("import json, mypkg")


def test_a_change_anywhere_in_the_file_is_refused(shop: Shop) -> None:
    shop.repack(LIBRARY, entry_point="mypkg.sub")
    sign(shop.bundle, shop.key)
    bundle = shop.bundle
    data = bundle.read_bytes()
    signers = Signers(str(shop.allowed))
    assert signers.check(BundleFile(str(bundle))) == RELEASE
    # The first line, local headers, payload, manifest, RECORD, bytecode, index, central directory, locator.
    places = [0, *range(7, len(data), len(data) // 24), len(data) - 1]
    for changed in (
        *(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in places),
        data + b"\0",
        data[:-1],
        b"",
    ):
        bundle.write_bytes(changed)
        with pytest.raises(BundleSignatureError):
            signers.check(BundleFile(str(bundle)))


def test_a_signed_bundle_has_its_site(shop: Shop) -> None:
    shop.repack(TREE | {"mypkg/__init__.py": IN_SITE})
    sign(shop.bundle, shop.key)
    result = shop.python("import mypkg.sub; print(mypkg.sub.__loader__)", PYTHONWARNINGS="error")
    assert (result.stdout.startswith("in a site\n"), "/cache/sites/" in result.stdout) == (True, True)


def test_a_site_that_a_process_is_given_has_modules_of_a_signed_bundle_only(shop: Shop) -> None:
    shop.repack(TREE | {"mypkg/__init__.py": IN_SITE, "pure/__init__.py": "print('pure ran')\n"})
    sign(shop.bundle, shop.key)
    shop.python("import mypkg")
    (site,) = (shop.folder / "cache" / "sites").iterdir()
    script = f"import sys; sys.path.append({str(site)!r})\nimport mypkg.sub, pure"
    assert shop.python(script, path=False, PYTHONWARNINGS="error").stdout == "in a site\npure ran\n"
    shop.signature.unlink()
    assert f"{shop.bundle}: is not signed" in shop.refused(script, path=False)
    assert f"{shop.bundle}: is not signed" in shop.refused(f"{script} # and the bundle itself")


@pytest.mark.parametrize("lost", ["bundle", "note"])
def test_a_site_without_a_bundle_has_no_modules(shop: Shop, lost: str) -> None:
    shop.repack(TREE | {"mypkg/__init__.py": IN_SITE})
    sign(shop.bundle, shop.key)
    shop.python("import mypkg")
    (site,) = (shop.folder / "cache" / "sites").iterdir()
    (shop.bundle if lost == "bundle" else site / ".bundleimp-units" / "bundle").unlink()
    script = f"import sys; sys.path.append({str(site)!r})\nimport mypkg.sub"
    shop.refused(script, path=False)
    assert shop.python(script, path=False, BUNDLEIMP_ALLOWED_SIGNERS="").stdout == "in a site\n"


def test_a_link_to_a_signature_is_as_good_as_the_signature(shop: Shop) -> None:
    shop.signature.rename(shop.folder / "elsewhere")
    shop.signature.symlink_to("elsewhere")
    assert shop.python("import mypkg").stdout == "code ran\n"


def test_other_imports_go_on_beside_a_bundle_that_is_not_signed(shop: Shop) -> None:
    other = make_bundle(shop.folder / "good.pybundle", {"good.py": "print('good')\n"})
    sign(other, shop.key)
    shop.signature.unlink()
    assert shop.python(f"import sys; sys.path.append({str(other)!r}); import good").stdout == "good\n"


def test_an_empty_variable_is_none(shop: Shop) -> None:
    shop.signature.unlink()
    assert shop.python("import mypkg", BUNDLEIMP_ALLOWED_SIGNERS="").stdout == "code ran\n"


# Reasons that lie in no bundle.


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"BUNDLEIMP_ALLOWED_SIGNERS": "nowhere"}, "the file of allowed signers is missing or cannot be read"),
        ({"BUNDLEIMP_ALLOWED_SIGNERS": "."}, "the file of allowed signers is missing or cannot be read"),
        ({"PATH": "/nowhere"}, "ssh-keygen cannot be run (No such file or directory)"),
    ],
)
def test_where_nothing_can_be_checked_nothing_is_imported_and_one_warning_says_so(
    shop: Shop, variables: dict[str, Any], reason: str
) -> None:
    second = make_bundle(shop.folder / "second.pybundle", {"second.py": "print('code ran')\n"})
    sign(second, shop.key)
    try_second = f"import sys; sys.path.insert(0, {str(second)!r})\ntry: import second\nexcept ImportError: pass"
    assert reason in shop.refused(f"{try_second}\nimport mypkg", PYTHONWARNINGS="always", **variables)


def test_a_program_that_ignores_the_end_of_children_is_refused_and_told(shop: Shop) -> None:
    script = f"""
import signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
sys.path.append({str(shop.bundle)!r})
import mypkg
"""
    assert "what ssh-keygen found is lost" in shop.refused(script, path=False)


@pytest.mark.parametrize("closed", [(0, 3), (0, 1), (1, 3), (2, 3)])
def test_standard_descriptors_may_be_closed(shop: Shop, closed: tuple[int, int]) -> None:
    shop.repack({"mypkg.py": "open('code_ran', 'w').close()"})
    sign(shop.bundle, shop.key)
    script = f"""
import os, sys
sys.path.append({str(shop.bundle)!r})
os.closerange{closed}
try:
    import mypkg
finally:
    os._exit(0)
"""
    shop.python(script, path=False)
    assert (shop.folder / "code_ran").exists()


def test_nothing_is_loaded_for_the_check_but_parts_of_ours(shop: Shop) -> None:
    script = "import sys; before = set(sys.modules); import mypkg; print(sorted(set(sys.modules) - before))"
    named = {
        setting: set(eval(shop.python(script, BUNDLEIMP_ALLOWED_SIGNERS=setting).stdout.splitlines()[1]))  # noqa: S307
        for setting in ("", str(shop.allowed))
    }
    added = named[str(shop.allowed)] - named[""]
    assert "bundleimp.runtime.sources.signatures" in added
    assert {name for name in added if not name.startswith("bundleimp.runtime.")} == set()


def test_an_unsigned_bundle_cannot_lend_the_check_a_module(shop: Shop) -> None:
    names = ("subprocess", "select", "threading", "tempfile", "hashlib", "shutil", "signal", "posix_spawn", "msvcrt")
    shop.repack(TREE | {f"{name}.py": "print('lent')\n" for name in names})
    shop.refused()


# Every way to a bundle.


WAYS = {
    "sys.path": "import sys; sys.path.insert(0, {bundle!r}); import mypkg",
    "a folder of it": "import sys; sys.path.insert(0, {bundle!r} + '/mypkg'); import sub",
    "relative": "import sys; sys.path.insert(0, 'out.pybundle'); import mypkg",
    "site": "import site, os; open('x.pth', 'w').write({bundle!r}); site.addsitedir(os.getcwd()); import mypkg",
    "BundleFinder": "import bundleimp; bundleimp.BundleFinder({bundle!r})",
    "runpy": "import runpy; runpy.run_path({bundle!r})",
    "resources": "import sys, importlib.resources as r; sys.path.insert(0, {bundle!r}); r.files('mypkg')",
    "metadata": "import sys, importlib.metadata as m; sys.path.insert(0, {bundle!r}); m.version('dist')",
    "pkgutil": "import pkgutil; next(pkgutil.iter_modules([{bundle!r}]))",
    "source": "import sys, linecache as l; sys.path.insert(0, {bundle!r});"
    "sys.meta_path[-1].find_spec('x'); assert l.getlines({bundle!r} + '/mypkg/__init__.py')",
    "in a child": "import sys, subprocess as s; s.run([sys.executable, '-c', 'import mypkg'], check=True,"
    " env=__import__('os').environ | {{'PYTHONPATH': {bundle!r}}})",
    "spawned": "import sys, multiprocessing as m; sys.path.insert(0, {bundle!r}); c = m.get_context('spawn');"
    "p = c.Process(target=__import__, args=('mypkg',)); p.start(); p.join(); sys.exit(p.exitcode)",
}


@pytest.mark.parametrize("way", WAYS)
def test_there_is_no_way_into_an_unsigned_bundle(shop: Shop, way: str) -> None:
    script = WAYS[way].format(bundle=str(shop.bundle))
    quiet: dict[str, Any] = {"PYTHONWARNINGS": "ignore"}
    shop.python(script, path=False, **quiet)
    shop.signature.unlink()
    result = shop.python(script, path=False, status=1, **quiet)
    assert "ran" not in result.stdout


def test_zipimport_does_not_get_an_unsigned_bundle_on_the_path(shop: Shop) -> None:
    shop.signature.unlink()
    script = f"import sys; print(type(sys.path_importer_cache[{str(shop.bundle)!r}]).__name__)"
    assert shop.python(f"{script}\ntry: import mypkg\nexcept ImportError: {script}").stdout == (
        "module\nBundleFinder\n"
    )


@pytest.mark.parametrize("stands_there", ["a directory", "nothing", "a pipe"])
def test_what_stands_in_the_place_of_a_bundle_is_not_handed_on(shop: Shop, stands_there: str) -> None:
    shop.bundle.unlink()
    if stands_there == "a directory":
        make_tree(shop.bundle, {"mypkg/__init__.py": "print('code ran')\n"})
    elif stands_there == "a pipe":
        os.mkfifo(shop.bundle)
    script = f"""
import os, sys
sys.path.append({str(shop.bundle)!r})
print([hook({str(shop.bundle)!r}).find_spec("mypkg") for hook in sys.path_hooks[:1]])
try: import mypkg
except ImportError: print(type(sys.path_importer_cache[{str(shop.bundle)!r}]).__name__)
"""
    result = shop.python(script, path=False)
    assert result.stdout == "[None]\nBundleFinder\n"
    assert ("BundleWarning" in result.stderr) == (stands_there != "nothing")


def test_doctor_does_not_wait_for_a_pipe(shop: Shop) -> None:
    shop.bundle.unlink()
    os.mkfifo(shop.bundle)
    script = "import sys; from bundleimp.cli import main; sys.exit(main(['doctor']))"
    result = shop.python(script, status=1)
    assert f"{shop.bundle}: is not a regular file" in " ".join(result.stdout.split())


def test_the_warning_about_signers_is_not_lost_where_the_bundle_is_touched_meanwhile(shop: Shop) -> None:
    shop.allowed.unlink()
    script = f"""
import os, sys
from bundleimp.runtime import archive
original = archive.Archive
def touching(path, signers):
    os.chmod(path, os.stat(path).st_mode ^ 0o100)
    return original(path, signers)
archive.Archive = touching
sys.path.append({str(shop.bundle)!r})
import mypkg
"""
    result = shop.python(script, path=False, status=1)
    missing = "the file of allowed signers is missing or cannot be read"
    assert [missing in line for line in result.stderr.splitlines() if "BundleWarning" in line] == [True]
    assert missing in result.stderr.splitlines()[-1]


# Between the check and the import, and afterwards.


def meddling(shop: Shop, command: str) -> dict[str, Any]:
    """Return variables with which ``ssh-keygen`` does *command*, too, when it has checked a signature."""
    folder = shop.folder / "bin"
    folder.mkdir()
    program = folder / "ssh-keygen"
    own = shutil.which("ssh-keygen")
    program.write_text(
        f'#!/bin/sh\n{own} "$@"\nstatus=$?\ncase "$*" in *"-Y verify"*) {command};; esac\nexit $status\n'
    )
    program.chmod(0o755)
    return {"PATH": os.pathsep.join([str(folder), os.environ["PATH"]])}


def test_what_was_checked_is_imported_when_the_bundle_is_replaced_meanwhile(shop: Shop) -> None:
    make_bundle(shop.folder / "evil.pybundle", {"mypkg/__init__.py": "print('evil ran')\n"})
    result = shop.python("import mypkg", **meddling(shop, f"mv {shop.folder / 'evil.pybundle'} {shop.bundle}"))
    assert (result.stdout, (shop.folder / "evil.pybundle").exists()) == ("code ran\n", False)


def test_what_is_checked_is_the_file_that_is_open_and_not_what_stands_at_its_path_by_then(shop: Shop) -> None:
    good = shop.bundle.rename(shop.folder / "good")
    make_bundle(shop.bundle, {"mypkg/__init__.py": "print('evil ran')\n"})
    opened = BundleFile(str(shop.bundle))
    good.replace(shop.bundle)
    signers = Signers(str(shop.allowed))
    with pytest.raises(BundleSignatureError, match="is not a valid one of this file"):
        signers.check(opened)
    assert signers.check(BundleFile(str(shop.bundle))) == RELEASE


def test_a_standalone_program_that_was_checked_takes_no_runtime_from_a_file_that_was_not(shop: Shop) -> None:
    app = make_bundle(
        shop.folder / "app.pybundle", {"tool.py": "main = dict\n"}, entry_point="tool:main", standalone=True
    )
    sign(app, shop.key)
    script = f"""
import os, runpy, sys
run = runpy._run_code
def replace_and_run(*arguments):
    os.replace({str(shop.bundle)!r}, {str(app)!r})
    return run(*arguments)
runpy._run_code = replace_and_run
try: runpy.run_path({str(app)!r}, run_name="__main__")
except SystemExit as end: print(end.code)
print(sys.path_hooks[0].__module__)
"""
    assert shop.python(script, path=False).stdout == "{}\nbundleimp.runtime.hook\n"


def test_a_bundle_that_is_written_to_meanwhile_is_refused(shop: Shop) -> None:
    result = shop.python("import mypkg", status=1, **meddling(shop, f"printf x >> {shop.bundle}"))
    assert result.stdout == ""
    assert "was rewritten while its signature was checked" in result.stderr


def test_a_replaced_bundle_is_checked_and_looked_at_again_when_it_is_refused(shop: Shop) -> None:
    make_bundle(shop.folder / "new.pybundle", {"mypkg/__init__.py": "print('new ran')\n", "more.py": ""})
    signature = sign(shop.folder / "new.pybundle", shop.key)
    script = f"""
import importlib, os, sys, warnings
import mypkg
def attempt(name):
    importlib.invalidate_caches()
    try: importlib.import_module(name)
    except ImportError as error: print(error.__class__.__name__)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    os.replace("new.pybundle", {str(shop.bundle)!r})
    attempt("more")
    attempt("more")
    print([str(warning.message).partition(": ssh-keygen")[0] for warning in caught])
    os.replace({signature.name!r}, {str(shop.signature)!r})
    attempt("more")
    importlib.reload(mypkg)
"""
    assert shop.python(script).stdout.splitlines() == [
        "code ran",
        *["ModuleNotFoundError"] * 2,
        f"['{shop.bundle}: its signature is not a valid one of this file']",
        "new ran",
    ]


def test_a_process_goes_on_with_what_it_has_checked(shop: Shop) -> None:
    script = f"""
import importlib, os, mypkg
os.unlink({str(shop.signature)!r})
importlib.invalidate_caches()
import mypkg.sub
print(importlib.resources.read_text("mypkg", "data.txt") if hasattr(importlib, "resources") else "text")
"""
    assert shop.python(script).stdout == "code ran\ntext\n"


@pytest.mark.parametrize("kept", [True, False])
def test_a_file_that_has_to_be_opened_anew_is_checked_anew(shop: Shop, kept: bool) -> None:
    script = f"""
import os, mypkg
os.closerange(3, 100)
if not {kept}:
    os.unlink({str(shop.signature)!r})
try:
    import mypkg.sub
    print("imported")
except ImportError as error:
    print(error)
"""
    lines = shop.python(script).stdout.splitlines()
    assert lines[0] == "code ran"
    assert lines[1].startswith("imported" if kept else f"{shop.bundle}: is not signed")


# Asked for by the program.


def install_script(shop: Shop, before: str = "", after: str = "") -> str:
    return f"""
import sys, bundleimp
sys.path.append({str(shop.bundle)!r})
{before}
try:
    bundleimp.install(allowed_signers={str(shop.allowed)!r})
except bundleimp.BundleError as error:
    print(error)
bundleimp.install()
{after}
import mypkg.sub
"""


def test_install_makes_signatures_necessary(shop: Shop) -> None:
    script = install_script(shop)
    assert shop.python(script, path=False, BUNDLEIMP_ALLOWED_SIGNERS="").stdout == "code ran\n"
    shop.signature.unlink()
    assert "is not signed" in shop.refused(script, path=False, BUNDLEIMP_ALLOWED_SIGNERS="")


def test_install_holds_for_child_processes_wherever_they_start(shop: Shop) -> None:
    script = f"""
import os, subprocess, sys, bundleimp
bundleimp.install(allowed_signers="allowed")
subprocess.run([sys.executable, "-c", "import mypkg"], cwd="/",
    env=os.environ | {{"PYTHONPATH": {str(shop.bundle)!r}}}, check=True)
"""
    assert shop.python(script, path=False, BUNDLEIMP_ALLOWED_SIGNERS="").stdout == "code ran\n"
    shop.signature.unlink()
    assert shop.python(script, path=False, status=1, BUNDLEIMP_ALLOWED_SIGNERS="").stdout == ""


@pytest.mark.parametrize("checked", ["", "allowed"])
def test_install_goes_on_with_bundles_in_use_that_are_signed(shop: Shop, checked: str) -> None:
    script = install_script(shop, before="import mypkg")
    result = shop.python(script, path=False, BUNDLEIMP_ALLOWED_SIGNERS=checked)
    assert (result.stdout, result.stderr) == ("code ran\n", "")


def test_install_is_an_error_where_a_bundle_in_use_is_not_signed_and_nothing_more_is_imported(shop: Shop) -> None:
    shop.signature.unlink()
    script = install_script(shop, before="import mypkg", after="print(mypkg.__name__)")
    result = shop.python(script, path=False, status=1, BUNDLEIMP_ALLOWED_SIGNERS="")
    lines = result.stdout.splitlines()
    assert (lines[0], lines[2:]) == ("code ran", ["mypkg"])
    assert lines[1].startswith(f"{shop.bundle}: is not signed")
    assert "No module named 'mypkg.sub'" in result.stderr


def test_a_site_of_a_bundle_in_use_that_is_not_signed_gives_nothing_more(shop: Shop) -> None:
    shop.repack(TREE | {"mypkg/__init__.py": IN_SITE})
    script = install_script(shop, before="import mypkg", after="print(len(mypkg.__path__))")
    result = shop.python(script, path=False, status=1, BUNDLEIMP_ALLOWED_SIGNERS="")
    assert result.stdout.splitlines()[:1] == ["in a site"]
    assert "No module named 'mypkg.sub'" in result.stderr


@pytest.mark.parametrize("then", ["deleted", "replaced", "replaced afterwards"])
def test_a_site_of_an_old_version_that_is_not_signed_gives_nothing_more(shop: Shop, then: str) -> None:
    """Its bundle is not in use any more when signatures become necessary, or is a signed one by then."""
    shop.repack(TREE | {"mypkg/__init__.py": IN_SITE})
    new = make_bundle(shop.folder / "new.pybundle", TREE)
    sign(new, shop.key)
    replace = f"""
import importlib, os
if {then!r} == "deleted":
    os.unlink({str(shop.bundle)!r})
else:
    os.replace({str(new)!r}, {str(shop.bundle)!r})
    os.replace({str(signature_of(new))!r}, {str(shop.signature)!r})
importlib.invalidate_caches()
"""
    before, after = ("", replace) if then == "replaced afterwards" else (replace, "")
    script = install_script(shop, before=f"import mypkg\n{before}", after=after)
    result = shop.python(script, path=False, status=1, BUNDLEIMP_ALLOWED_SIGNERS="")
    assert result.stdout.splitlines()[:1] == ["in a site"]
    assert "No module named 'mypkg.sub'" in result.stderr


def test_a_site_of_an_old_version_that_was_signed_gives_its_modules(shop: Shop) -> None:
    shop.repack(TREE | {"mypkg/__init__.py": IN_SITE})
    sign(shop.bundle, shop.key)
    new = make_bundle(shop.folder / "new.pybundle", {"mypkg/__init__.py": "", "new.py": "print('new ran')\n"})
    script = f"""
import importlib, os
import mypkg
os.replace({str(new)!r}, {str(shop.bundle)!r})
importlib.invalidate_caches()
import mypkg.sub
try:
    import new
except ImportError as error:
    print(error)
"""
    reason = f"No module named 'new', unless it is in a bundle that cannot be used: {shop.bundle}: its signature is not"
    assert shop.python(script).stdout.startswith(f"in a site\n{reason}")


def test_install_takes_a_directory_away_from_whoever_has_it(shop: Shop) -> None:
    shop.bundle.unlink()
    make_tree(shop.bundle, {"mypkg/__init__.py": "", "mypkg/sub.py": "", "early.py": ""})
    assert "is not a regular file" in shop.refused(
        install_script(shop, before="import early"), path=False, BUNDLEIMP_ALLOWED_SIGNERS=""
    )


def test_install_takes_a_directory_away_from_who_gets_it_meanwhile(shop: Shop) -> None:
    shop.bundle.unlink()
    make_tree(shop.bundle, {"mypkg/__init__.py": "", "mypkg/sub.py": "", "early.py": ""})
    script = f"""
import sys, bundleimp
sys.path.append({str(shop.bundle)!r})
class Signers:
    def __fspath__(self):
        import early
        return {str(shop.allowed)!r}
bundleimp.install(allowed_signers=Signers())
import mypkg.sub
"""
    assert "is not a regular file" in shop.refused(script, path=False, BUNDLEIMP_ALLOWED_SIGNERS="")


# Where ssh-keygen cannot be asked.


def test_a_platform_that_cannot_start_it_refuses_everything(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_spawnp")
    with pytest.raises(SignatureNotCheckedError, match="cannot be checked on this platform"):
        Archive(str(shop.bundle), Signers(str(shop.allowed)))


def test_the_signer_is_traced(shop: Shop) -> None:
    assert f"{shop.bundle}: signed by {RELEASE}\n" in shop.python("import mypkg", BUNDLEIMP_TRACE="1").stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_standalone_program_checks_what_it_imports(shop: Shop) -> None:
    shop.repack(LIBRARY, entry_point="mypkg.sub", standalone=True)
    variables: dict[str, Any] = {"BUNDLEIMP_ALLOWED_SIGNERS": str(shop.allowed)}
    result = run_python("-I", str(shop.bundle), check=False, **variables)
    assert (result.returncode, result.stdout) == (1, "")
    assert "its signature is not a valid one of this file" in result.stderr
    sign(shop.bundle, shop.key)
    assert run_python("-I", str(shop.bundle), **variables).stdout == "code ran\n"


@needs_threads
@pytest.mark.parametrize("before", ["", "import mypkg"], ids=["first", "again"])
def test_a_bundle_that_is_being_opened_when_signers_are_required_is_not_used(shop: Shop, before: str) -> None:
    """One thread opens it, for the first time or because it has changed; another one requires signers meanwhile."""
    shop.signature.unlink()
    script = f"""
import importlib, os, sys, threading, warnings
import bundleimp
warnings.simplefilter("ignore")
runtime, bundle = bundleimp.runtime, {str(shop.bundle)!r}
# Else the import lock, under which they are loaded, orders the two threads.
runtime.sources.requiring, runtime.sources.signatures, runtime.content.refreshing, runtime.faults.opening
install = bundleimp.install
sys.path.insert(0, bundle)
{before}
opening, required = threading.Event(), threading.Event()

def stop(event, arguments):
    if event == "open" and arguments[0] == bundle and not opening.is_set():
        opening.set()
        required.wait(20)

def require():
    opening.wait(20)
    try:
        install(allowed_signers={str(shop.allowed)!r})
    except ImportError:
        pass
    required.set()

thread = threading.Thread(target=require)
thread.start()
sys.addaudithook(stop)
os.utime(bundle, (1, 1))
importlib.invalidate_caches()
sys.modules.pop("mypkg", None)
for _ in range(2):
    try:
        import mypkg
    except ImportError as error:
        print(error.name, opening.is_set())
    thread.join()
"""
    result = run_python("-c", script, cwd=shop.folder, BUNDLEIMP_CACHE_DIR=str(shop.folder / "cache"))
    assert result.stdout == "code ran\n" * bool(before) + "mypkg True\n" * 2
