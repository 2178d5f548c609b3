"""Start this program with another Python, because the running one does not fit, or end with one line.

The ``__main__`` of the program runs this text under any Python from 3.8 on, with its own ``loader``.
"""

import os
import subprocess
import sys

LOADER = globals()["loader"]
NEEDS = "<needs>"
# The versions that may fit, the best first.  Such a Python is asked a question.  It ends with 0 if it fits, with 3 if
# only bundleimp is missing.
VERSIONS = "<versions>"
QUESTION = "<question>"
STANDALONE = bool("<standalone>")
LACKS_BUNDLEIMP = 3
# A Python that was started from here is not to start another one.
STARTED = "bundleimp=started"
OLDEST = (3, 11)


def _split_command_line():
    """Return the options of this interpreter, and the words that follow them."""
    words = getattr(sys, "orig_argv", [])[1:]
    if not words:  # before Python 3.10
        return getattr(subprocess, "_args_from_interpreter_flags")(), []
    options = []
    while words and words[0][:1] == "-" and words[0] != "-":
        word = words.pop(0)
        letters = "" if word[:2] == "--" else word[1:]
        special = [letter for letter in letters if letter in "cmWX"][:1]
        at = letters.index(special[0]) if special else -1
        if special and special[0] in "cm":  # they end the options, also as in -Im
            options += ["-" + letters[:at]] * bool(at)
            words.insert(0, "-" + letters[at:])
            break
        options.append(word)
        if words and (word == "--check-hash-based-pycs" or 0 <= at == len(letters) - 1):  # its value is the next word
            options.append(words.pop(0))
    return options, words


def _command():
    """Return the words that start this program with another Python, after the name of that."""
    options, words = _split_command_line()
    if not words or "bundleimp.cli.run_command" in sys.modules:
        archive = getattr(LOADER, "archive", sys.path[0])  # no archive: the bundle is unpacked into a folder
        path = getattr(archive, "path", archive)
        words = [sys.argv[0] if os.path.exists(sys.argv[0]) else path, *sys.argv[1:]]
    return [*options, "-X", STARTED, *words]


def _candidates():
    """Yield the words that start a Python on PATH, for each that may fit."""
    for version in VERSIONS.split():
        commands = [[f"python{version}"]]
        if os.name == "nt":
            commands = [[f"python{version}.exe"], ["py.exe", f"-{version}"]]
        for words in commands:
            # An empty entry is the working directory, in which anybody may have put a file.
            for folder in filter(None, os.environ.get("PATH", os.defpath).split(os.pathsep)):
                file = os.path.join(folder, words[0])
                if os.path.isfile(file) and os.access(file, os.X_OK):
                    yield [file, *words[1:]]


def _answer(python):
    """Return what a Python answers to the question; another number if it cannot be started."""
    ask = ["-S"] * STANDALONE + ["-E"] * bool(sys.flags.ignore_environment) + ["-c", QUESTION]
    with open(os.devnull, "r+b") as null:
        try:
            return subprocess.call(python + ask, stdin=null, stdout=null, stderr=null)
        except OSError:
            return -1


def _start(words):
    """Run a command in the place of this process.  Return if it cannot be started."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    if os.name != "nt":
        try:
            os.execv(words[0], words)
        except OSError:
            return
    process = subprocess.Popen(words)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:  # the other process was interrupted, too
            pass


def _look():
    """Start this program with the first Python that fits.  Return the reason why there is none."""
    lacking = ""
    for python in _candidates():
        status = _answer(python)
        if status == 0:
            _start(python + _command())
        elif status == LACKS_BUNDLEIMP:
            lacking = lacking or python[0]
    if lacking:
        return f"install bundleimp for {lacking}, or pack with --standalone"
    found = "no such Python is on PATH"
    if sys.version_info < OLDEST:
        return f"{found}; install one"
    return f"{found}; install one, or pack for this one"


def _this():
    """Return what the running Python is, as far as it matters."""
    import platform

    text = platform.python_version()
    if platform.python_implementation() != "CPython":
        text = f"{platform.python_implementation()} {text}"
    system = platform.system().replace("Darwin", "macOS")
    return f"{text}, {system} {platform.machine()}"


def _leave():
    """Start the program elsewhere, or end.  Return if the user wants this Python, and the runtime is for it."""
    if sys.version_info >= OLDEST and os.environ.get("BUNDLEIMP_SAME_PYTHON", "0") not in {"", "0"}:
        return
    if getattr(getattr(getattr(LOADER, "archive", None), "file", None), "signers", None) is not None:
        reason = "the file was checked for this one; start it with such a Python"
    elif STARTED.partition("=")[0] in getattr(sys, "_xoptions", {}):
        reason = "it was already started in the place of another Python; start it with one that fits"
    else:
        reason = _look()
    sys.exit(f"{sys.argv[0]}: needs {NEEDS}, and {sys.executable} is {_this()}: {reason}")


_leave()
