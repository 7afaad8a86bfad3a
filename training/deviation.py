"""Model deviation of a committee: how far models that learned the same differ, as DeePMD-kit defines and writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nvnmd.training.errors import NvnmdError
from nvnmd.training.evaluation import Predicted
from nvnmd.training.system import Floats


class DeviationError(NvnmdError, ValueError):
    """A committee that gives no deviation."""


@dataclass(frozen=True)
class Deviation:
    """Spread over the models, frame by frame (Zeng et al., J. Chem. Phys. 159, 054801 (2023), section on deviation).

    Attributes:
        force: [n_frames, n_atoms] eV/angstrom, sqrt(<|F_i - <F_i>|^2>) over the models; relative: without unit.
        virial: [n_frames, 9] eV, standard deviation of each component over the number of atoms.
        energy: [n_frames] eV, standard deviation of the energy over the number of atoms.
    """

    force: Floats
    virial: Floats
    energy: Floats

    def columns(self) -> Floats:
        """[n_frames, 7]: max, min, avg of the virial, the same of the force, and the energy's."""
        v, f = self.virial, self.force
        average = np.sqrt(np.mean(v**2, axis=1))
        return np.column_stack([v.max(1), v.min(1), average, f.max(1), f.min(1), f.mean(1), self.energy])


def deviation(predictions: Sequence[Predicted], relative: float | None = None) -> Deviation:
    """Deviation of several models' predictions of the same frames.

    Args:
        predictions: of at least two models.
        relative: eV/angstrom; divide the deviation of each atom by |<F_i>| + relative. None: do not.

    Raises:
        DeviationError: fewer than two models.
    """
    if len(predictions) < 2:
        raise DeviationError("the deviation of a committee needs at least two models")
    forces = np.array([p.forces for p in predictions])
    n_frames, n_atoms = forces.shape[1:3]
    force = np.linalg.norm(forces.std(axis=0), axis=2)
    if relative is not None:
        force = force / (np.linalg.norm(forces.mean(axis=0), axis=2) + relative)
    virials = np.array([p.virials for p in predictions]).reshape(len(predictions), n_frames, 9) / n_atoms
    energies = np.array([p.energies for p in predictions]) / n_atoms
    return Deviation(force, virials.std(axis=0), energies.std(axis=0))


def deviation_text(name: str, found: Deviation, every: int = 1, atomic: bool = False, first: int = 0) -> str:
    """Lines in the form of DeePMD-kit's `model_devi.out`.

    Args:
        name: of the system, a comment above the columns.
        found: to write.
        every: steps between frames.
        atomic: add the force deviation of each atom.
        first: step of the first frame.
    """
    titles = [f"{kind}_devi_{item}" for item in "vf" for kind in ("max", "min", "avg")]
    lines = [f"# {name}", f"# {'step':10s}" + "".join(f"{title:19s}" for title in [*titles, "devi_e"])]
    columns = np.hstack([found.columns(), found.force]) if atomic else found.columns()
    if atomic:
        lines[1] += "atm_devi_f(N)"
    lines += [f"{first + k * every:12d}" + "".join(f"{value:19.6e}" for value in row) for k, row in enumerate(columns)]
    return "\n".join(lines) + "\n"


def trust_levels(found: Sequence[Deviation], low: float, high: float) -> dict[str, int]:
    """Frames whose largest force deviation lies below `low`, between, and from `high` on (eV/angstrom).

    Raises:
        DeviationError: low is not below high.
    """
    if not low < high:
        raise DeviationError(f"the lower trust level ({low:g}) must be below the upper one ({high:g})")
    largest = np.concatenate([d.force.max(axis=1) for d in found])
    accurate, failed = int(np.sum(largest < low)), int(np.sum(largest >= high))
    return {"accurate": accurate, "candidate": len(largest) - accurate - failed, "failed": failed}
