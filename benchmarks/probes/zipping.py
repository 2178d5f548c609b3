"""Write a tree as a zip: ``zipping.py TREE OUT``, sources and data deflated, bytecode stored."""

import os
import sys
import zipfile


def main(tree: str, output: str) -> None:
    """Write all files of *tree* to *output*, in the order of their names."""
    with zipfile.ZipFile(output, "w") as archive:
        for folder, folders, names in os.walk(tree):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                method = zipfile.ZIP_STORED if name.endswith(".pyc") else zipfile.ZIP_DEFLATED
                archive.write(path, os.path.relpath(path, tree), method)


main(*sys.argv[1:])
