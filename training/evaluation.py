"""Errors of predictions against labels, by system and pooled: the measures of DeePMD-kit's `dp test`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.system import Floats, System


@dataclass(frozen=True)
class Predicted:
    """What a model says of a system, atoms in the system's own order.

    Attributes:
        energies: [n_frames] eV; forces: [n_frames, n_atoms, 3] eV/angstrom; virials: [n_frames, 3, 3] eV.
    """

    energies: Floats
    forces: Floats
    virials: Floats


@dataclass(frozen=True)
class Errors:
    """Root-mean-square and mean absolute errors over the frames of one or more systems.

    Attributes:
        n_frames: frames compared; every frame weighs the same in energy and virial, every component in the force.
        energy_rmse, energy_mae: eV/atom; energy_offset: mean error (another energy reference shows here), eV/atom.
        energy_scatter: RMSE after taking off the mean error, eV/atom.
        force_rmse, force_mae: over components, eV/angstrom; force_rms: of the labels.
        virial_rmse, virial_mae: over components of virial / number of atoms, eV/atom; None without labels.
    """

    n_frames: int
    energy_rmse: float
    energy_mae: float
    energy_offset: float
    energy_scatter: float
    force_rmse: float
    force_mae: float
    force_rms: float
    virial_rmse: float | None
    virial_mae: float | None


@dataclass(frozen=True)
class Evaluated:
    """A system with predictions, and which part of the data it was for the model: "train", "held out" or "new"."""

    system: System
    predicted: Predicted
    part: str = "new"


def errors(evaluated: Sequence[Evaluated]) -> Errors:
    """Errors over all frames of one or more systems."""
    both = [(e.system, e.predicted) for e in evaluated]
    energy = np.concatenate([(p.energies - s.energies) / s.n_atoms for s, p in both])
    force = np.concatenate([(p.forces - s.forces).ravel() for s, p in both])
    labels = np.concatenate([s.forces.ravel() for s, _ in both])
    virials = [((p.virials - s.virials) / s.n_atoms).ravel() for s, p in both if s.virials is not None]
    virial = np.concatenate(virials) if virials else None
    return Errors(
        n_frames=len(energy),
        energy_rmse=_rms(energy),
        energy_mae=float(np.abs(energy).mean()),
        energy_offset=float(energy.mean()),
        energy_scatter=float(energy.std()),
        force_rmse=_rms(force),
        force_mae=float(np.abs(force).mean()),
        force_rms=_rms(labels),
        virial_rmse=None if virial is None else _rms(virial),
        virial_mae=None if virial is None else float(np.abs(virial).mean()),
    )


def summary(evaluated: Sequence[Evaluated]) -> dict[str, Any]:
    """Errors of every system, of every part and of all together, as JSON values (keys as in `Errors`)."""
    parts = list(dict.fromkeys(e.part for e in evaluated))
    return {
        "systems": [
            {"name": e.system.name, "part": e.part, "atoms": e.system.n_atoms, "label": e.system.label}
            | asdict(errors([e]))
            for e in evaluated
        ],
        "parts": {part: asdict(errors([e for e in evaluated if e.part == part])) for part in parts},
        "all": asdict(errors(evaluated)),
        "units": {"energy": "eV/atom", "force": "eV/A", "virial": "eV/atom"},
    }


def prediction_arrays(evaluated: Sequence[Evaluated]) -> dict[str, NDArray[Any]]:
    """Labels and predictions by `<system>/<quantity>_{dft,pred}`, quantity being energy, force or virial; eV, angstrom.

    `virial_dft` is left out where there are no labels. `names` lists the systems, `parts` and `atoms` go with them.
    """
    arrays: dict[str, NDArray[Any]] = {
        "names": np.array([e.system.name for e in evaluated]),
        "parts": np.array([e.part for e in evaluated]),
        "atoms": np.array([e.system.n_atoms for e in evaluated]),
    }
    for e in evaluated:
        labels = {"energy": e.system.energies, "force": e.system.forces, "virial": e.system.virials}
        values = {"energy": e.predicted.energies, "force": e.predicted.forces, "virial": e.predicted.virials}
        for quantity, value in values.items():
            arrays[f"{e.system.name}/{quantity}_pred"] = value
            if (label := labels[quantity]) is not None:
                arrays[f"{e.system.name}/{quantity}_dft"] = label
    return arrays


def by_part(system: System, provenance: Any) -> list[tuple[System, str]]:
    """A system cut into frames that a model was trained on ("train"), held out ones, and those that are "new" to it.

    Frames are recognized by the hashes that the trainer leaves in the provenance, whatever system they were in.

    Args:
        system: as it was read.
        provenance: JSON value with `training_data` and `validation_data` somewhere in it, or not.
    """
    trained, held_out = _hashes(provenance, "training_data"), _hashes(provenance, "validation_data")
    parts = np.array(
        ["train" if h in trained else "held out" if h in held_out else "new" for h in frame_hashes(system)]
    )
    found = list(dict.fromkeys(parts.tolist()))
    if len(found) == 1:
        return [(system, found[0])]
    return [(system.select(np.flatnonzero(parts == part), f"{system.name} ({part})"), part) for part in found]


def frame_hashes(system: System) -> list[str]:
    """The first 48 bits of a SHA-256 over each frame's elements, geometry, energy and forces, in hexadecimal."""
    elements = " ".join(system.symbols).encode()
    arrays = (system.cells, system.positions, system.energies, system.forces)
    frames = (b"".join(np.ascontiguousarray(a[k]).tobytes() for a in arrays) for k in range(system.n_frames))
    return [hashlib.sha256(elements + frame).hexdigest()[:12] for frame in frames]


def data_digest(systems: Sequence[System]) -> str:
    """SHA-256 over the numbers of systems, in hexadecimal; names do not count."""
    digest = hashlib.sha256()
    for system in systems:
        for array in (system.types, system.cells, system.positions, system.energies, system.forces, system.virials):
            if array is not None:
                digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _hashes(value: Any, key: str) -> set[str]:
    """Hashes under `key` at any depth: the integer model wraps the float model's provenance."""
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for name, inner in value.items():
        if name == key and isinstance(inner, list):
            found.update(h for entry in inner if isinstance(entry, dict) for h in entry.get("frame_hashes", []))
        else:
            found |= _hashes(inner, key)
    return found


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
