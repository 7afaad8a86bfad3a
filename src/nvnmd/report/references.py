"""Curves to compare RDFs with: text or CSV files of r and g, or labeled frames whose own RDF is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nvnmd.report.errors import ReportError

Phase = Literal["liquid", "amorphous"]
PHASES: tuple[Phase, Phase] = ("liquid", "amorphous")
_TEXT = (".txt", ".csv", ".dat", ".tsv")
_PAIR = re.compile(r"(?<![A-Za-z])([A-Z][a-z]?)[-_]?([A-Z][a-z]?)(?![a-z])")


@dataclass(frozen=True)
class Reference:
    """Partial RDFs of one phase from one source; curves: by pair of elements, r in A and g."""

    phase: Phase
    label: str
    curves: dict[tuple[str, str], tuple[NDArray[np.float64], NDArray[np.float64]]]

    def curve(self, pair: tuple[str, str]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Curve of a pair in either order."""
        return self.curves.get(pair) or self.curves.get((pair[1], pair[0]))


def read_reference(text: str) -> Reference:
    """A reference from `[liquid:|amorphous:]PATH[=LABEL]`.

    PATH is a text file whose name holds the pair, as in Ge-Te.csv; a folder of such files; or frames in any form that
    `nvnmd train` reads, whose RDF is that of whatever moved their atoms. The phase is taken from the path where it is
    not said. Raises ReportError if neither says it, or if nothing can be read.
    """
    phase, path, label = _parts(text)
    if not path.exists():
        raise ReportError(f"{path}: there is no such reference")
    files = _curve_files(path)
    if not files:
        return _from_frames(path, phase, label)
    curves = {pair: _read_curve(file) for file in files if (pair := _pair_of(file)) is not None}
    if not curves:
        raise ReportError(f"{path}: no file name says a pair of elements, as in Ge-Te.csv; rename the files")
    return Reference(phase, label or path.name, curves)


def _parts(text: str) -> tuple[Phase, Path, str]:
    place, _, label = text.partition("=")
    for phase in PHASES:
        if place.startswith(f"{phase}:"):
            return phase, Path(place.removeprefix(f"{phase}:")), label
    named: list[Phase] = [phase for phase in PHASES if phase in place]
    if len(named) != 1:
        raise ReportError(f"reference {text}: say which phase it is, as in amorphous:{place}")
    return named[0], Path(place), label


def _curve_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in _TEXT and _pair_of(file) is not None)
    return [path] if path.suffix in _TEXT else []


def _pair_of(file: Path) -> tuple[str, str] | None:
    found = _PAIR.search(file.stem)
    return (found.group(1), found.group(2)) if found else None


def _read_curve(file: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two columns, separated by blanks, commas, semicolons or tabs; lines without numbers are heads or comments."""
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        words = re.split(r"[,;\s]+", line.strip())
        try:
            rows.append([float(words[0]), float(words[1])])
        except (ValueError, IndexError):
            continue
    if len(rows) < 2:
        raise ReportError(f"{file}: holds no two columns of numbers (r in A, g)")
    r, g = np.array(rows).T
    return r, g


def _from_frames(path: Path, phase: Phase, label: str) -> Reference:
    from nvnmd.pcm.analysis import partial_rdf
    from nvnmd.pcm.trajectory import Snapshot
    from nvnmd.training.frames import load_systems

    systems = load_systems(path)
    frames = [
        Snapshot(positions, cell, np.array(system.symbols))
        for system in systems
        for positions, cell in zip(system.positions, system.cells, strict=True)
    ]
    elements = sorted(set(frames[0].symbols.tolist()))
    rdf = partial_rdf(frames, elements, bins=80)
    atoms = " and ".join(str(n) for n in sorted({system.n_atoms for system in systems}))
    described = f"{label or path.name}: mean over {len(frames)} frames of {atoms} atoms"
    return Reference(phase, described, {pair: (rdf.r, g) for pair, g in rdf.g.items()})
