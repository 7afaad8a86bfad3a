"""LAMMPS text dumps, read one frame at a time, so that a trajectory of any length needs the memory of one frame."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError

_POSITION_COLUMNS = (("xu", "yu", "zu"), ("x", "y", "z"))
_VELOCITY_COLUMNS = ("vx", "vy", "vz")


@dataclass(frozen=True)
class Snapshot:
    """One configuration.

    positions: [n, 3] A, not necessarily inside the cell; cell: [3, 3] A, rows are the lattice vectors, periodic in all
    three; symbols: [n] chemical symbols; step: time step of the run; velocities: [n, 3] A/ps where they were stored.
    """

    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    symbols: NDArray[np.str_]
    step: int = 0
    velocities: NDArray[np.float64] | None = None


def read_dump(path: Path) -> Iterator[Snapshot]:
    """Frames of a dump with columns `element` and `x y z` or `xu yu zu`.

    A last frame that is cut short, as a killed run leaves it, is left out with a warning. Raises PcmError for a missing
    file, a dump without the columns, or anything else that is no dump.
    """
    if not path.exists():
        raise PcmError(f"{path}: there is no such trajectory")
    with path.open(encoding="utf-8") as file:
        while first := file.readline():
            if not first.startswith("ITEM: TIMESTEP"):
                raise PcmError(f"{path}: is no LAMMPS text dump; 'ITEM: TIMESTEP' was expected, not {first[:40]!r}")
            frame = _read_frame(file, path)
            if frame is None:
                warnings.warn(f"{path}: the last frame is cut short and was left out", stacklevel=2)
                return
            yield frame


def _read_frame(file: TextIO, path: Path) -> Snapshot | None:
    """The frame behind an `ITEM: TIMESTEP` line, or None if the file ends inside it."""
    lines = list(islice(file, 8))
    if len(lines) < 8 or not lines[7].endswith("\n"):
        return None
    head = [line.split() for line in lines]
    count, columns = int(head[2][0]), head[7][2:]
    names = next((n for n in _POSITION_COLUMNS if set(n) <= set(columns)), None)
    if names is None or "element" not in columns:
        raise PcmError(f"{path}: needs the columns 'element' and 'x y z' or 'xu yu zu'; it has {' '.join(columns)}")
    lines = list(islice(file, count))
    if len(lines) < count or not lines[-1].endswith("\n"):
        return None
    wanted = [*names, *(_VELOCITY_COLUMNS if set(_VELOCITY_COLUMNS) <= set(columns) else ())]
    numbers = np.loadtxt(lines, usecols=[columns.index(name) for name in wanted], ndmin=2)
    symbols = np.loadtxt(lines, usecols=columns.index("element"), dtype="U2", ndmin=1)
    cell, origin = _cell([[float(word) for word in line] for line in head[4:7]])
    velocities = numbers[:, 3:] if len(wanted) > 3 else None
    return Snapshot(numbers[:, :3] - origin, cell, symbols, int(head[0][0]), velocities)


def _cell(bounds: list[list[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lattice vectors [3, 3] and origin [3] from the box bounds; a third column holds the tilts xy, xz, yz."""
    low, high = [row[0] for row in bounds], [row[1] for row in bounds]
    xy, xz, yz = (row[2] for row in bounds) if len(bounds[0]) > 2 else (0.0, 0.0, 0.0)
    # The bounds enclose the tilted box; LAMMPS, Howto triclinic.
    low[0] -= min(0.0, xy, xz, xy + xz)
    high[0] -= max(0.0, xy, xz, xy + xz)
    low[1] -= min(0.0, yz)
    high[1] -= max(0.0, yz)
    lx, ly, lz = (h - o for h, o in zip(high, low, strict=True))
    return np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]]), np.array(low)


def last_frame(path: Path) -> Snapshot:
    """The last whole frame of a dump, found from the end of the file. Raises PcmError if there is none."""
    mark = b"ITEM: TIMESTEP"
    if not path.exists() or not path.stat().st_size:
        raise PcmError(f"{path}: there is no frame in it")
    with path.open("rb") as raw, mmap(raw.fileno(), 0, access=ACCESS_READ) as data, path.open(encoding="utf-8") as file:
        start = data.rfind(mark)
        while start >= 0:
            file.seek(start)
            file.readline()
            frame = _read_frame(file, path)
            if frame is not None:
                return frame
            start = data.rfind(mark, 0, start)
    raise PcmError(f"{path}: there is no whole frame in it")


def trim_dump(path: Path, before_step: int) -> None:
    """Drop the frames at and after a step, and a frame that is cut short; a continued run writes them again."""
    kept = path.with_name(path.name + ".tmp")
    with path.open(encoding="utf-8") as source, kept.open("w", encoding="utf-8") as target:
        while head := list(islice(source, 9)):
            if len(head) < 9 or int(head[1]) >= before_step:
                break
            target.writelines(head)
            target.writelines(islice(source, int(head[3])))
    kept.replace(path)
