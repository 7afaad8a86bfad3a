"""Print, one a line, what pyproject.toml asks for to build, run, test and develop the project."""

import tomllib
from pathlib import Path

TESTED = ("dev", "hls", "cluster", "data", "search")
"""Extras that the default tests use."""


def main() -> None:
    """Read pyproject.toml at the repository root and print its requirements without repetition."""
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    wanted = [
        *pyproject["build-system"]["requires"],
        *project["dependencies"],
        *(line for extra in TESTED for line in project["optional-dependencies"][extra]),
    ]
    print("\n".join(dict.fromkeys(wanted)))


if __name__ == "__main__":
    main()
