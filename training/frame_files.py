"""Which files hold frames, and in which format."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nvnmd.training.system import FramesError

FORMATS = "deepmd/npy or deepmd/raw folders (type.raw), *.extxyz, CP2K output, OUTCAR, vasprun.xml"


@dataclass(frozen=True)
class Source:
    """A file or deepmd folder with frames.

    Attributes:
        path: of the file or folder.
        format: "deepmd/npy", "deepmd/npy/mixed", "deepmd/raw", "extxyz", "cp2k/output", "vasp/outcar" or "vasp/xml".
        name: short, for messages: the path from the folder that the user named.
    """

    path: Path
    format: str
    name: str

    @property
    def dataset(self) -> str:
        """Sources with the same value share one energy reference.

        The word in `reference.raw`, which may stand in a deepmd folder or beside the folder or file; or else the parent
        of a deepmd folder, an extxyz file itself, and for all runs of one code the code.
        """
        for folder in (self.path, self.path.parent):
            if (file := folder / "reference.raw").is_file():
                return file.read_text().strip()
        path = self.path.resolve()
        if self.format == "extxyz":
            return str(path)
        return str(path.parent) if path.is_dir() else f"{self.format.split('/')[0]} runs"


def find_sources(paths: Iterable[str | Path]) -> list[Source]:
    """Every source that the paths name, in order; each once.

    Raises:
        FramesError: a path that does not exist or holds no frames.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        for source in _sources_at(path):
            found.setdefault(source.path.resolve(), source)
    if not found:
        raise FramesError("no data was named; give at least one file or folder with frames")
    return list(found.values())


def _sources_at(given: str | Path) -> list[Source]:
    path = Path(given).expanduser()
    if path.is_dir():
        return _search(path)
    if path.is_file():
        form = _file_format(path)
        if form is None:
            raise FramesError(f"{path}: not a format of frames that nvnmd knows; it reads {FORMATS}")
        return [Source(path, form, _file_name(path, path.parent))]
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not matches:
        raise FramesError(f"{path}: no such file or folder, and no file matches it as a pattern")
    return [source for match in matches for source in _sources_at(match)]


def _search(folder: Path) -> list[Source]:
    root = folder.resolve()
    deepmd = sorted(p.parent for p in folder.rglob("type.raw"))
    if deepmd:
        return [Source(p, _deepmd_format(p), "/".join((root.name, *p.relative_to(folder).parts))) for p in deepmd]
    files = [(p, _file_format(p)) for p in sorted(folder.rglob("*")) if p.is_file()]
    sources = [Source(p, form, f"{root.name}/{_file_name(p, folder)}") for p, form in files if form is not None]
    if not sources:
        raise FramesError(f"{folder}: no frames in it or below it; nvnmd reads {FORMATS}")
    return sources


def _deepmd_format(folder: Path) -> str:
    sets = sorted(folder.glob("set.*"))
    if not sets:
        return "deepmd/raw"
    return "deepmd/npy/mixed" if (sets[0] / "real_atom_types.npy").exists() else "deepmd/npy"


def _file_name(path: Path, root: Path) -> str:
    """Path from `root`, without the ending where it says nothing."""
    relative = path.relative_to(root)
    return str(relative.with_suffix("") if path.suffix in {".extxyz", ".xyz"} else relative)


def _file_format(path: Path) -> str | None:
    name = path.name.lower()
    if path.suffix in {".extxyz", ".xyz"}:
        return "extxyz"
    if name.startswith("outcar"):
        return "vasp/outcar"
    if name.startswith("vasprun") and name.endswith(".xml"):
        return "vasp/xml"
    if path.suffix in {".out", ".log"} and _is_cp2k(path):
        return "cp2k/output"
    return None


def _is_cp2k(path: Path) -> bool:
    with path.open(errors="replace") as file:
        return "CP2K|" in file.read(20_000)
