"""Code that opens files beside modules works from a bundle: such modules have real paths.

The directory is the oracle.  A path in the site and one under the bundle have the same token, so the probes open files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .places import FLAT, NESTED, NO_BYTECODE, SOURCELESS, Places

if TYPE_CHECKING:
    from .builders import Tree

TREE: Tree = {
    # Its modules build paths from their own locations.
    "shop/__init__.py": (
        "from pathlib import Path\n\nHERE = Path(__file__).resolve().parent\n"
        "VERSION = (HERE / 'VERSION').read_text().strip()\n"
    ),
    "shop/VERSION": "1.2\n",
    "shop/quiet.py": "def fail():\n    raise ValueError('quiet')\n",
    "shop/views.py": (
        "import os\n\n\ndef template(name):\n"
        "    with open(os.path.join(os.path.dirname(__file__), 'templates', name), encoding='utf-8') as file:\n"
        "        return file.read()\n\n\nclass Table:\n    FOLDER = os.path.join(os.path.dirname(__file__), 'data')\n"
    ),
    "shop/templates/index.html": "<h1>Grüße</h1>\n",
    "shop/data/sub/deep.bin": bytes(range(256)),
    "shop/tool.py": "import os, sys\nimport helper\nprint(helper.NAME, *sys.argv[1:])\n",
    "shop/helper.py": "NAME = 'helper'\n",
    "shop/runner.py": (
        "import os, subprocess, sys\n\n\ndef run(*arguments):\n"
        "    script = os.path.join(os.path.dirname(__file__), 'tool.py')\n"
        "    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True).stdout\n"
    ),
    "shop/sub/__init__.py": "",
    "shop/sub/leaf.py": "X = 1\n",
    # It has data, and other modules look for it.
    "site_app/__init__.py": "",
    "site_app/models.py": "class Model:\n    pass\n",
    "site_app/templates/page.html": "page\n",
    "site_app/static/css/a.css": "a {}\n",
    "site_app/management/__init__.py": "",
    "site_app/management/commands/__init__.py": "",
    "site_app/management/commands/send.py": "",
    "flat_app.py": "import framework\n\napp = framework.App(__name__)\n",
    "flat_data/flat.html": "flat\n",
    # It looks for the data of others.
    "framework.py": (
        "import os, sys\n\n\nclass App:\n    def __init__(self, name):\n"
        "        self.root_path = os.path.dirname(os.path.abspath(sys.modules[name].__file__))\n\n"
        "    def open(self, name):\n        return open(os.path.join(self.root_path, name), encoding='utf-8')\n"
    ),
    # It looks for code.
    "plugins/__init__.py": (
        "import importlib, os\n\nNAMES = sorted(n for n in os.listdir(os.path.dirname(__file__)) if n[0] != '_')\n"
        "MODULES = [importlib.import_module('plugins.' + n.partition('.')[0]) for n in NAMES]\n"
    ),
    "plugins/one.py": "X = 1\n",
    "plugins/two.py": "X = 2\n",
    "runs_itself.py": (
        "import subprocess, sys\n\n\ndef run():\n"
        "    return subprocess.run([sys.executable, __file__], capture_output=True, text=True).stdout\n\n\n"
        "if __name__ == '__main__':\n    print('itself')\n"
    ),
    "only_data/table.txt": "only\n",
    "space/data/table.txt": "space\n",
    "space/code/mod.py": "X = 1\n",
    "pure/__init__.py": "",
    "pure/mod.py": "X = 1\n",
}
KINDS = [FLAT, NESTED, NO_BYTECODE, SOURCELESS]

in_each_bundle = pytest.mark.parametrize("kind", KINDS)
with_source = pytest.mark.parametrize("kind", [FLAT, NESTED, NO_BYTECODE])


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("real"), TREE)


# A module reads its own location.


@in_each_bundle
def test_a_module_finds_its_data_when_it_is_imported(places: Places, kind: str) -> None:
    probe = "import shop\nresult = [shop.VERSION, str(shop.HERE), (shop.HERE / 'templates').is_dir()]"
    assert places.as_in_directory(kind, probe) == ["1.2", "<place>/shop", True]


@in_each_bundle
def test_functions_and_class_bodies_find_their_data(places: Places, kind: str) -> None:
    probe = """
    import os, shop.views
    result = [shop.views.template("index.html"), os.listdir(shop.views.Table.FOLDER)]
    with open(os.path.join(shop.views.Table.FOLDER, "sub", "deep.bin"), "rb") as file:
        result.append(file.read() == bytes(range(256)))
    """
    assert places.as_in_directory(kind, probe) == ["<h1>Grüße</h1>\n", ["sub"], True]


@in_each_bundle
def test_all_that_tells_a_location_agrees(places: Places, kind: str) -> None:
    """In the one process, not only with the directory: the raw paths are compared."""
    probe = """
    import inspect, os, sys
    import shop, shop.views, shop.sub.leaf
    result = []
    for module in (shop, shop.views, shop.sub, shop.sub.leaf):
        spec = module.__spec__
        places = {module.__file__, module.__dict__["__file__"], spec.origin, inspect.getfile(module),
                  spec.loader.get_filename(), spec.loader.path}
        paths = [list(getattr(module, "__path__", [])), list(spec.submodule_search_locations or [])]
        folder = os.path.dirname(module.__file__)
        result.append([
            module.__name__, sorted(places), spec.has_location, module.__loader__ is spec.loader, paths,
            all(paths) and paths != [[folder]] * 2, repr(spec.cached)[-6:], repr(type(spec)), repr(type(module)),
        ])
    code = shop.views.template.__code__
    result.append(code.co_filename)
    result.append(code.co_filename.removesuffix("c") == shop.views.__file__.removesuffix("c"))
    result.append([os.path.isfile(module.__file__) for module in (shop, shop.views)])
    """
    for described in places.as_in_directory(kind, probe)[:-3]:
        assert len(described[1]) == 1


@with_source
def test_tracebacks_and_source_are_those_of_the_real_file(places: Places, kind: str) -> None:
    probe = """
    import inspect, linecache, traceback
    import shop, shop.quiet, shop.views
    result = [inspect.getsource(shop), inspect.getsource(shop.views.template), inspect.getsourcefile(shop.views.Table)]
    try:
        shop.quiet.fail()
    except ValueError:
        result.append(traceback.format_exc().replace("\\n    ~", "").partition(", in fail")[2])
    result += [inspect.getmodule(shop.views.template).__name__, linecache.getline(shop.__file__, 1)]
    """
    places.as_in_directory(kind, probe)


@in_each_bundle
def test_an_uncaught_error_shows_its_line(places: Places, kind: str) -> None:
    places.runs_as_in_directory(kind, "-c", "import shop.quiet; shop.quiet.fail()")


@in_each_bundle
def test_a_package_that_lists_its_folder_sees_its_modules(places: Places, kind: str) -> None:
    probe = "import plugins\nresult = [plugins.NAMES, [module.X for module in plugins.MODULES], len(plugins.__path__)]"
    suffix = "pyc" if kind == SOURCELESS else "py"
    assert places.as_in_directory(kind, probe) == [[f"one.{suffix}", f"two.{suffix}"], [1, 2], 1]


@with_source
def test_a_script_beside_a_module_runs_in_a_process_of_its_own(places: Places, kind: str) -> None:
    probe = "import shop.runner\nresult = shop.runner.run('a', 'b')"
    assert places.as_in_directory(kind, probe) == "helper a b\n"


@with_source
def test_a_module_runs_itself_in_a_process_of_its_own(places: Places, kind: str) -> None:
    assert places.as_in_directory(kind, "import runs_itself\nresult = runs_itself.run()") == "itself\n"


# Other code reads the location of a module.

QUESTIONS = {
    "__file__": "os.path.dirname(site_app.__file__)",
    "__file__ of a submodule": "os.path.dirname(site_app.models.__file__)",
    "getattr": "os.path.dirname(getattr(site_app, '__file__', None))",
    "sys.modules": "os.path.dirname(sys.modules['site_app'].__file__)",
    "from": "os.path.dirname(__import__('site_app', fromlist=['__file__']).__file__)",
    "__path__": "site_app.__path__[0]",
    "pickled __path__": "pickle.loads(pickle.dumps(site_app.__path__))[0]",
    "__spec__.origin": "os.path.dirname(site_app.__spec__.origin)",
    "find_spec().origin": "os.path.dirname(find_spec('site_app').origin)",
    "find_spec().submodule_search_locations": "find_spec('site_app').submodule_search_locations[0]",
    "find_spec().cached": "os.path.dirname(os.path.dirname(find_spec('site_app').cached))",
    "find_spec().loader.path": "os.path.dirname(find_spec('site_app').loader.path)",
    "find_spec().loader.get_filename()": "os.path.dirname(find_spec('site_app').loader.get_filename())",
    "find_spec().origin of a submodule": "os.path.dirname(find_spec('site_app.models', site_app.__path__).origin)",
    "copied spec": "os.path.dirname(copy.copy(find_spec('site_app')).origin)",
    "copied spec with its loader": "copy.deepcopy(find_spec('site_app')).submodule_search_locations[0]",
    "pickled spec": "pickle.loads(pickle.dumps(find_spec('site_app'))).submodule_search_locations[0]",
    "pickled loader": "os.path.dirname(pickle.loads(pickle.dumps(find_spec('site_app').loader)).path)",
    "inspect.getfile": "os.path.dirname(inspect.getfile(site_app))",
    "inspect.getfile of a class": "os.path.dirname(inspect.getfile(site_app.models.Model))",
    "inspect.getsourcefile": "os.path.dirname(inspect.getsourcefile(site_app.models))",
    "inspect.getabsfile": "os.path.dirname(inspect.getabsfile(site_app))",
    "str of files()": "str(importlib.resources.files(site_app))",
    "fspath of files()": "os.fspath(importlib.resources.files(site_app))",
    "Path of files()": "str(pathlib.Path(importlib.resources.files(site_app)))",
}


@in_each_bundle
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_the_location_of_a_package_leads_to_its_files(places: Places, kind: str, question: str) -> None:
    if kind == SOURCELESS and ("sourcefile" in question or ".cached" in question):
        pytest.skip("there is none")
    probe = f"""
    import copy, importlib.machinery, importlib.resources, inspect, os, pathlib, pickle, sys
    import site_app, site_app.models
    find_spec = importlib.machinery.PathFinder.find_spec
    folder = {question}
    with open(os.path.join(folder, "templates", "page.html")) as file:
        result = [folder, file.read(), [os.listdir(os.path.join(folder, "static", *below)) for below in ((), ("css",))]]
    """
    assert places.as_in_directory(kind, probe)[:2] == ["<place>/site_app", "page\n"]


@in_each_bundle
def test_a_spec_that_was_never_loaded_tells_real_places(places: Places, kind: str) -> None:
    probe = """
    import importlib.util, os, sys
    result = []
    for name in ("site_app", "shop", "shop.views", "plugins"):
        spec = importlib.util.find_spec(name)
        result.append([os.path.isfile(spec.origin), all(map(os.path.isdir, spec.submodule_search_locations or []))])
        result.append([spec.origin, spec.submodule_search_locations, spec.parent, spec.has_location])
    result.append("site_app" in sys.modules)
    """
    places.as_in_directory(kind, probe)


@in_each_bundle
def test_files_of_traversables_can_be_opened(places: Places, kind: str) -> None:
    probe = """
    import importlib.resources, os, site_app, shop
    result = []
    for package in (site_app, shop, "site_app", "shop"):
        files = importlib.resources.files(package)
        for name in ("templates", "static/css/a.css", "templates/page.html", "VERSION", "missing"):
            path = files.joinpath(name)
            result.append([str(path), os.path.isfile(str(path)), os.path.isdir(str(path)), path.name])
            if path.is_file():
                with open(path) as file:
                    result[-1].append(file.read())
    """
    places.as_in_directory(kind, probe)


@in_each_bundle
@pytest.mark.parametrize("package", ["only_data", "space.data"])
def test_files_of_folders_without_code_can_be_opened(places: Places, kind: str, package: str) -> None:
    probe = """
    import importlib.resources, sys
    with open(importlib.resources.files(sys.argv[1]) / "table.txt") as file:
        result = [file.name, file.read()]
    """
    places.as_in_directory(kind, probe, package)


@in_each_bundle
def test_a_framework_finds_the_folder_of_an_application_module(places: Places, kind: str) -> None:
    probe = """
    import flat_app
    with flat_app.app.open("flat_data/flat.html") as file:
        result = [flat_app.app.root_path, file.read()]
    """
    assert places.as_in_directory(kind, probe) == ["<place>", "flat\n"]


@in_each_bundle
def test_applications_are_discovered_with_their_templates_and_commands(places: Places, kind: str) -> None:
    """As Django does it: the only entry of `__path__` is the application's folder."""
    probe = """
    import importlib, os, pkgutil
    result = []
    for name in ("site_app", "pure", "shop"):
        module = importlib.import_module(name)
        (path,) = list(getattr(module, "__path__", []))
        found = [os.path.relpath(os.path.join(folder, file), path) for folder, _, files in
                 os.walk(os.path.join(path, "templates")) for file in files]
        commands = [name for _, name, _ in pkgutil.iter_modules([os.path.join(path, "management", "commands")])]
        modules = [name for _, name, _ in pkgutil.iter_modules([os.path.dirname(module.__file__)])]
        result.append([name, path, found, commands, modules])
    """
    places.as_in_directory(kind, probe)


# The rest of the import system goes on.


@in_each_bundle
@pytest.mark.parametrize("name", ["shop", "site_app", "plugins", "flat_app"])
def test_modules_are_loaded_again_lazily_and_by_hand(places: Places, kind: str, name: str) -> None:
    probe = """
    import importlib, importlib.util, os, sys
    name = sys.argv[1]
    spec = importlib.util.find_spec(name)
    loader = spec.loader
    spec.loader = importlib.util.LazyLoader(loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    result = [module.__name__, module.__file__]
    result.append(os.path.isfile(module.__file__))
    module = importlib.reload(module)
    result += [os.path.isfile(module.__file__), module.__file__, module is sys.modules[name]]
    del sys.modules[name]
    again = importlib.import_module(name)
    result += [os.path.isfile(again.__file__), again is module, again.__file__]
    again = importlib.reload(again)
    result += [os.path.isfile(again.__file__), again.__file__]
    spec = importlib.util.find_spec(name)
    by_hand = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(by_hand)
    result += [os.path.isfile(by_hand.__file__), by_hand.__file__]
    """
    places.as_in_directory(kind, probe, name)


@in_each_bundle
def test_modules_can_be_changed_as_usual(places: Places, kind: str) -> None:
    probe = """
    import copyreg, pickle, sys, types
    import site_app, site_app.models as models, shop
    result = [isinstance(site_app, types.ModuleType), "__file__" in dir(site_app), "__file__" in vars(site_app)]
    site_app.__file__ = "elsewhere"
    result.append(site_app.__file__)
    del site_app.__file__
    result += [hasattr(site_app, "__file__"), getattr(site_app, "__file__", None), "__file__" in vars(site_app)]
    try:
        del site_app.__file__
    except AttributeError as error:
        result.append(type(error).__name__)
    try:
        site_app.__file__
    except AttributeError as error:
        result.append(str(error))
    site_app.__path__.append("more")
    result += [len(site_app.__path__), site_app.__path__[1], "more" in site_app.__path__]

    class Module(types.ModuleType):
        name = property(lambda self: self.__name__)

    models.__class__ = Module
    result += [models.name, pickle.loads(pickle.dumps(models.Model)) is models.Model]
    """
    places.as_in_directory(kind, probe)


@in_each_bundle
def test_packages_whose_path_is_extended_and_modules_found_by_any_entry_load(places: Places, kind: str) -> None:
    probe = """
    import pkgutil, sys
    import site_app, shop
    site_app.__path__ = pkgutil.extend_path(site_app.__path__, "site_app")
    import site_app.models, site_app.management.commands.send
    sys.path.insert(0, list(shop.__path__)[0])
    import helper, sub.leaf
    result = [len(site_app.__path__), site_app.models.Model.__module__, helper.NAME, helper.__file__, sub.leaf.X]
    result += [sorted(name for _, name, _ in pkgutil.walk_packages(site_app.__path__, "site_app."))]
    """
    places.as_in_directory(kind, probe)


@in_each_bundle
@pytest.mark.parametrize("name", ["shop.tool", "shop.main", "site_app.main", "main"])
def test_programs_know_where_they_lie(tmp_path_factory: pytest.TempPathFactory, kind: str, name: str) -> None:
    program = (
        "import os, sys\nfolder = os.path.dirname(__file__)\nprint(__name__, __spec__.name, __file__, sys.argv[1:])\n"
        "print(os.path.isfile(os.path.join(folder, 'VERSION')), __spec__.origin == __file__, sys.argv[0] == __file__)\n"
    )
    tree = TREE | {
        f"{folder}{tail}": content
        for folder in ("shop/", "site_app/", "")
        for tail, content in {"main.py": program, "__main__.py": program, "VERSION": "1"}.items()
    }
    places = Places(tmp_path_factory.mktemp("programs"), tree)
    places.runs_as_in_directory(kind, "-m", name, "argument")
    if "." in name:
        places.runs_as_in_directory(kind, "-m", name.partition(".")[0], "argument")


@with_source
def test_runpy_and_new_processes_get_real_places(places: Places, kind: str) -> None:
    script = places.laboratory.probe_file("""
        import multiprocessing, runpy
        import shop.views, site_app.models

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(shop.views.template, ["index.html"]))
                print(pool.map(type, [site_app.models.Model()]))
            names = runpy.run_module("shop.runner")
            print(names["__file__"], names["run"]("a"))
    """)
    outcome = places.runs_as_in_directory(kind, str(script))
    assert outcome.stdout.startswith("['<h1>Grüße</h1>\\n']\n[<class 'site_app.models.Model'>]\n<place>/shop/runner.py")


@in_each_bundle
def test_real_paths_are_in_one_site(places: Places, kind: str) -> None:
    probe = """
    import os, plugins, shop, shop.views, site_app
    root = os.path.dirname(shop.HERE)
    result = [os.path.samefile(root, os.path.dirname(os.path.dirname(module.__file__))) for module in
              (shop, shop.views, site_app, plugins)]
    result.append(root)
    """
    assert places.as_in_directory(kind, probe) == [*[True] * 4, "<place>"]
    sites = [path.name for path in (places.laboratory.folder / "cache" / "sites").iterdir()]
    assert all(re.fullmatch(r"[0-9a-f]{32}\.pybundle", name) for name in sites)
