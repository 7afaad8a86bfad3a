"""Labeled frames from files: what `nvnmd train` and the other commands read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from nvnmd.training.frame_checks import MAX_FORCE, check_system
from nvnmd.training.frame_files import find_sources
from nvnmd.training.readers import read_source
from nvnmd.training.system import FramesError, System

__all__ = ["FramesError", "System", "load_systems"]


def load_systems(
    paths: str | Path | Iterable[str | Path],
    type_map: Sequence[str] | None = None,
    *,
    max_force: float = MAX_FORCE,
    check_units: bool = True,
) -> list[System]:
    """Read labeled frames and check them; units eV and angstrom.

    Formats: deepmd/npy (also mixed) and deepmd/raw folders, extended XYZ, CP2K output of single points, VASP OUTCAR and
    vasprun.xml. A folder is searched with all its subfolders; where it holds deepmd folders, only those are read, so
    that other copies of the same frames beside them are not counted twice.

    Labels are taken as DFT unless a file `label.raw` in a deepmd folder, or the key `label` in an extxyz comment line,
    says "teacher:<name>".

    Deepmd folders in one parent folder, the frames of one extxyz file, and all runs of one code (CP2K, VASP) are each a
    data set with one energy reference; a file `reference.raw` in a folder, or beside it or a file, names another.

    Args:
        paths: files, folders and glob patterns.
        type_map: element symbols in the order wanted; by default in order of appearance. It also names the elements of
            deepmd folders without type_map.raw.
        max_force: the largest force taken for real, eV/angstrom.
        check_units: refuse labels whose size says that they are not in eV and eV/angstrom.

    Raises:
        FramesError: naming the file and the frame: nothing found, arrays missing or of the wrong shape, NaN, huge
            forces, unknown elements, atoms on top of each other, other units.
    """
    sources = find_sources([paths] if isinstance(paths, (str, Path)) else paths)
    systems = [system for source in sources for system in read_source(source, type_map)]
    for system in systems:
        check_system(system, max_force=max_force, check_units=check_units)
    order = list(type_map) if type_map is not None else list(dict.fromkeys(e for s in systems for e in s.type_map))
    return _with_unique_names([system.with_type_map(order) for system in systems])


def _with_unique_names(systems: list[System]) -> list[System]:
    counts, seen = Counter(system.name for system in systems), Counter[str]()
    named = []
    for system in systems:
        if counts[system.name] > 1:
            seen[system.name] += 1
            system = replace(system, name=f"{system.name}#{seen[system.name]}")
        named.append(system)
    return named
