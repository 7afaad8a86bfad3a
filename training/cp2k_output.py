"""Single points in CP2K output: dpdata for energy, forces and coordinates; cell and virial are read here.

dpdata 1.1 rounds the cell to the three decimals that CP2K prints for its vectors and does not find the stress of CP2K
2022 and later. The lengths and angles that CP2K prints have six decimals, so the cell is built from them.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from nvnmd.training.system import Floats, FramesError, System

logger = logging.getLogger(__name__)

GPA_PER_EV_A3 = 160.21766208  # CODATA 2014, as in dpdata
GPA = {"GPa": 1.0, "bar": 1e-4, "kbar": 0.1}
NUMBER = r"([-+]?\d+\.\d+(?:[ED][-+]?\d+)?)"


def read_cp2k(path: Path, name: str) -> System:
    """One frame from a CP2K output (RUN_TYPE ENERGY_FORCE).

    The virial is volume x the printed tensor, which is positive under compression; None where no stress was printed.

    Raises:
        FramesError: SCF not converged, run cut off, no forces printed, several energies (an MD run).
    """
    text = path.read_text(errors="replace")
    _check_run(text, path)
    try:
        import dpdata

        data = dpdata.LabeledSystem(str(path), fmt="cp2k/output").data
    except Exception as error:  # dpdata lets parsing errors of every kind through
        raise FramesError(f"{path}: dpdata cannot read this CP2K output: {error or type(error).__name__}") from error
    cell = _exact_cell(text, np.array(data["cells"][0], dtype=np.float64))
    return System(
        name=name,
        type_map=tuple(str(element) for element in data["atom_names"]),
        types=np.asarray(data["atom_types"], dtype=np.int64),
        cells=cell[None],
        positions=np.array(data["coords"], dtype=np.float64),
        energies=np.array(data["energies"], dtype=np.float64).reshape(-1),
        forces=np.array(data["forces"], dtype=np.float64),
        virials=_virial(text, cell, path),
    )


def _check_run(text: str, path: Path) -> None:
    if "SCF run NOT converged" in text or "SCF run converged" not in text:
        raise FramesError(f"{path}: the SCF did not converge, so its forces are not usable; leave this frame out")
    if "PROGRAM ENDED AT" not in text:
        raise FramesError(f"{path}: the run was cut off before its end; run it again or leave it out")
    if (count := len(re.findall(r"ENERGY\| Total FORCE_EVAL", text))) != 1:
        raise FramesError(f"{path}: holds {count} energies; nvnmd reads single points, so turn an MD run into extxyz")
    if not re.search(r"ATOMIC FORCES in|FORCES\|", text):
        raise FramesError(f"{path}: prints no forces; add `&PRINT &FORCES ON &END &END` to &FORCE_EVAL and run again")


def _exact_cell(text: str, rounded: Floats) -> Floats:
    """[3, 3] angstrom: the cell of the printed lengths and angles, turned to where the rounded vectors point."""
    from ase.geometry import cellpar_to_cell

    lengths = re.findall(rf"CELL\| Vector [abc] \[angstrom\]:.*\|[abc]\| =\s+{NUMBER}", text)[-3:]
    angles = re.findall(rf"CELL\| Angle \([abc],[abc]\), \w+\s+\[degree\]:\s+{NUMBER}", text)[-3:]
    if len(lengths) != 3 or len(angles) != 3:
        return rounded
    shape = cellpar_to_cell([float(x) for x in (*lengths, *angles)])
    u, _, vt = np.linalg.svd(shape.T @ rounded)
    turned = shape @ u @ vt
    return turned if np.abs(turned - rounded).max() < 2e-3 else rounded


def _virial(text: str, cell: Floats, path: Path) -> Floats | None:
    header = re.search(r"(?:Analytical stress tensor|STRESS TENSOR) \[(\w+)\]", text)
    if header is None or header[1] not in GPA:
        logger.warning("%s: no stress found, so this frame has no virial", path)
        return None
    row = rf"^\s*(?:STRESS\|)?\s+[xyzXYZ]\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s*$"
    rows = re.findall(row, text[header.end() :], re.MULTILINE)[:3]
    if len(rows) != 3:
        logger.warning("%s: the stress tensor is incomplete, so this frame has no virial", path)
        return None
    stress = np.array([[float(x.replace("D", "E")) for x in r] for r in rows]) * GPA[header[1]]
    return (stress / GPA_PER_EV_A3 * abs(np.linalg.det(cell)))[None]
