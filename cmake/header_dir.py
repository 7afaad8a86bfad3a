"""Print the folder to put on the include path so that a header of an installed Python package is found.

Usage: header_dir.py PACKAGE HEADER, for example `header_dir.py nlohmann-json nlohmann/json.hpp`.
"""

import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path


def header_dir(package: str, header: str) -> Path:
    """Return the include folder; raises LookupError with one sentence when package or header is missing."""
    try:
        entries = files(package) or []
    except PackageNotFoundError:
        raise LookupError(f"the package {package} is not installed for {sys.executable}.") from None
    for entry in entries:
        if entry.as_posix().endswith("/" + header):
            found = Path(str(entry.locate())).resolve()
            return found.parents[len(Path(header).parts) - 1]
    raise LookupError(f"the package {package} does not list a file {header}.")


if __name__ == "__main__":
    try:
        print(header_dir(sys.argv[1], sys.argv[2]))
    except LookupError as error:
        sys.exit(str(error))
