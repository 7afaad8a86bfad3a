"""The figures that `dp test` of DeePMD-kit prints, by its definitions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nvnmd.training.evaluation import Evaluated
from nvnmd.training.system import Floats


def dp_measures(evaluated: Sequence[Evaluated]) -> dict[str, float]:
    """`Energy MAE`, `Energy RMSE`, `Energy MAE/Natoms`, ... `Stress RMSE`, named and ordered as `dp test` does.

    Of several systems: what `dp test` calls the weighted average, where every number compared weighs the same. Virials
    and stresses stand only where systems have such labels. Units: `unit`.
    """
    differences: dict[str, list[Floats]] = {}

    def add(name: str, values: Floats) -> None:
        differences.setdefault(name, []).append(values.ravel())

    for e in evaluated:
        system, energy = e.system, e.predicted.energies - e.system.energies
        add("Energy", energy)
        add("Energy/Natoms", energy / system.n_atoms)
        add("Force", e.predicted.forces - system.forces)
        if system.virials is not None:
            virial = e.predicted.virials - system.virials
            add("Virial", virial)
            add("Virial/Natoms", virial / system.n_atoms)
            if system.periodic:
                add("Stress", virial / system.volumes[:, None, None])
    result = {}
    for name, parts in differences.items():
        quantity, _, per_atom = name.partition("/")
        suffix = "/" + per_atom if per_atom else ""
        values = np.concatenate(parts)
        result[f"{quantity} MAE{suffix}"] = float(np.abs(values).mean())
        result[f"{quantity} RMSE{suffix}"] = float(np.sqrt(np.mean(values**2)))
    return result


def unit(name: str) -> str:
    """Unit of one of the measures."""
    return {"Force": "eV/Å", "Stress": "eV/Å³"}.get(name.split()[0], "eV")


def dp_report(evaluated: Sequence[Evaluated]) -> str:
    """The lines of `dp test`: every system, then all of them."""
    lines = []
    for e in evaluated:
        lines += [f"# testing system : {e.system.name}", f"# number of test data : {e.system.n_frames}"]
        lines += _lines([e])
    if len(evaluated) > 1:
        lines += ["# weighted average of errors", f"# number of systems : {len(evaluated)}", *_lines(evaluated)]
    return "\n".join(lines)


def _lines(evaluated: Sequence[Evaluated]) -> list[str]:
    return [f"{name:<18} : {value:e} {unit(name)}" for name, value in dp_measures(evaluated).items()]
