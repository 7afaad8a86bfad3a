"""Extended XYZ through ASE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.training.system import Floats, FramesError, System

ENERGY_KEYS = ("energy", "REF_energy", "dft_energy", "DFT_energy")
FORCE_KEYS = ("forces", "force", "REF_forces", "dft_forces", "DFT_forces")
VIRIAL_KEYS = ("virial", "virials", "REF_virial", "dft_virial")
GROUP_KEYS = ("config_type", "Config_type", "phase")


def read_extxyz(path: Path, name: str) -> list[System]:
    """Systems of an extxyz file: frames with the same atoms, `config_type` (or `phase`) and kinds of labels together.

    Energy, forces, stress and virial are taken from the usual keys (also MACE's REF_*). A stress is ASE's: eV/A^3,
    positive under tension, so that virial = -volume x stress.

    Raises:
        FramesError: naming the frame that lacks energy or forces, or disagrees with itself.
    """
    groups: dict[Any, list[dict[str, Any]]] = {}
    for k, atoms in enumerate(_frames(path)):
        frame = _frame(atoms, f"{path}, frame {k}")
        groups.setdefault(frame["key"], []).append(frame)
    systems = [_system(frames, name) for frames in groups.values()]
    if not systems:
        raise FramesError(f"{path}: holds no frames")
    if len(systems) == 1:
        return systems
    named = zip(groups, systems, strict=True)
    return [replace(s, name="/".join(filter(None, (name, key[1], s.formula)))) for key, s in named]


def _frames(path: Path) -> Iterator[Any]:
    from ase.io import iread

    count = 0
    try:
        for atoms in iread(path, index=":", format="extxyz"):
            yield atoms
            count += 1
    except (ValueError, KeyError, IndexError, StopIteration, OSError) as error:
        raise FramesError(f"{path}, frame {count}: ASE cannot read it as extxyz: {error}") from error


def _frame(atoms: Any, where: str) -> dict[str, Any]:
    results = atoms.calc.results if atoms.calc is not None else {}
    energy = _first({**atoms.info, **results}, ENERGY_KEYS)
    forces = _first({**atoms.arrays, **results}, FORCE_KEYS)
    for label, value in (("energy", energy), ("forces", forces)):
        if value is None:
            raise FramesError(f"{where}: has no {label}; looked for the keys of ASE and REF_{label}, dft_{label}")
    if atoms.pbc.any() and not atoms.pbc.all():
        raise FramesError(f"{where}: periodic along some axes only (pbc {atoms.pbc}); make it all or none, with vacuum")
    virial = _virial(atoms, results, where)
    group = str(next((atoms.info[key] for key in GROUP_KEYS if key in atoms.info), ""))
    label = str(atoms.info.get("label", "dft"))
    symbols = tuple(atoms.get_chemical_symbols())
    periodic = bool(atoms.pbc.all())
    return {
        "key": (symbols, group, periodic, virial is not None, label),
        "cell": np.array(atoms.cell[:]) if periodic else np.zeros((3, 3)),
        "positions": atoms.positions,
        "energy": float(energy),
        "forces": np.asarray(forces, dtype=np.float64),
        "virial": virial,
    }


def _virial(atoms: Any, results: dict[str, Any], where: str) -> Floats | None:
    """[3, 3] eV from a virial or a stress, whichever the frame has; both must agree."""
    virial, stress = _first(atoms.info, VIRIAL_KEYS), results.get("stress", atoms.info.get("stress"))
    if virial is not None:
        virial = _tensor(virial)
    if stress is None or not atoms.pbc.all():
        return virial
    from_stress = -atoms.get_volume() * _tensor(stress)
    if virial is not None and np.abs(virial - from_stress).max() > 1e-3 + 1e-3 * np.abs(virial).max():
        raise FramesError(
            f"{where}: virial and stress disagree; wanted is virial = -volume x stress, with the stress in eV/A^3 and "
            "positive under tension"
        )
    return from_stress if virial is None else virial


def _tensor(values: Any) -> Floats:
    """[3, 3] from 9 numbers or from 6 in Voigt order (xx, yy, zz, yz, xz, xy)."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    return flat[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3) if flat.size == 6 else flat.reshape(3, 3)


def _first(values: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((values[key] for key in keys if key in values), None)


def _system(frames: list[dict[str, Any]], name: str) -> System:
    symbols, _, periodic, has_virial, label = frames[0]["key"]
    type_map = tuple(dict.fromkeys(symbols))
    return System(
        name=name,
        type_map=type_map,
        types=np.array([type_map.index(s) for s in symbols], dtype=np.int64),
        cells=np.array([f["cell"] for f in frames]),
        positions=np.array([f["positions"] for f in frames]),
        energies=np.array([f["energy"] for f in frames]),
        forces=np.array([f["forces"] for f in frames]),
        virials=np.array([f["virial"] for f in frames]) if has_virial else None,
        periodic=periodic,
        label=label,
    )
