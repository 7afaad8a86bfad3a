"""Per-element energy shifts, fitted per data set, so that sets with different energy references train together.

The total energies of a data set are fitted by sum over atoms of e_a (least squares per atom, float64). What remains is
what the networks learn; it no longer holds the arbitrary zero of a code and its pseudopotentials.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.system import Floats, FramesError, System

logger = logging.getLogger(__name__)

ONE_REFERENCE_EV = 1.0  # per atom; phases of one material lie within a few tenths


class ShiftError(FramesError):
    """Systems without energy shifts."""


@dataclass(frozen=True)
class EnergyShifts:
    """Shifts of several data sets over one type map.

    Attributes:
        type_map: element of each column.
        values: data set to [n_types] eV per atom; 0 for elements that the set does not hold.
        present: data set to [n_types], which elements it holds.
        notes: sentences on sets whose compositions do not determine every shift, or that look like several sets.
    """

    type_map: tuple[str, ...]
    values: Mapping[str, Floats]
    present: Mapping[str, NDArray[np.bool_]]
    notes: tuple[str, ...]

    def of(self, system: System) -> Floats:
        """[n_types] shifts of a system's data set, eV.

        Raises:
            ShiftError: the data set was not fitted, or lacks an element of the system.
        """
        if system.dataset not in self.values:
            known = ", ".join(self.values)
            raise ShiftError(f"{system.name}: no energy shifts for its data set {system.dataset!r}; known are {known}")
        held = {e for e, has in zip(self.type_map, self.present[system.dataset], strict=True) if has}
        if missing := sorted(set(system.symbols) - held):
            raise ShiftError(f"{system.name}: no energy shift for {missing[0]} in its data set {system.dataset!r}")
        return self.values[system.dataset]

    def of_model(self) -> Floats:
        """[n_types] shifts for a model to predict with: of the first data set, for elements it lacks of the next."""
        result = np.zeros(len(self.type_map))
        unset = np.ones(len(self.type_map), dtype=bool)
        for dataset, values in self.values.items():
            take = unset & self.present[dataset]
            result[take] = values[take]
            unset &= ~take
        return result


def fit_energy_shifts(systems: Sequence[System]) -> EnergyShifts:
    """Fit the shifts of every data set (`System.dataset`) among some systems with one type map.

    Where all frames of a set have compositions that do not determine the shifts (GeTe only, for instance), the solution
    of minimum norm is taken and a note says so: energies of other compositions are then arbitrary by a linear term.

    Raises:
        ShiftError: no systems, or systems with different type maps.
    """
    if not systems:
        raise ShiftError("no systems to fit energy shifts to")
    type_map = systems[0].type_map
    for system in systems:
        if system.type_map != type_map:
            raise ShiftError(f"{system.name}: type map {system.type_map} differs from {type_map} of {systems[0].name}")
    groups: dict[str, list[System]] = {}
    for system in systems:
        groups.setdefault(system.dataset, []).append(system)
    values, present, notes = {}, {}, []
    for dataset, members in groups.items():
        values[dataset], present[dataset], rank = _fit(members, len(type_map))
        if rank < present[dataset].sum():
            elements = ", ".join(np.array(type_map)[present[dataset]])
            notes.append(
                f"{dataset or members[0].name}: its compositions leave {present[dataset].sum() - rank} of the energy "
                f"shifts of {elements} open; the smallest ones that fit were taken"
            )
            logger.info("%s", notes[-1])
        # A teacher is one code with one reference, however unlike the structures that it labeled.
        if members[0].label == "dft" and (note := _note_on_references(members, values[dataset])):
            notes.append(note)
            logger.warning("%s", note)
    return EnergyShifts(type_map, values, present, tuple(notes))


def _note_on_references(systems: Sequence[System], shifts: Floats) -> str | None:
    """A sentence where the systems of a set lie too far apart to be of one energy reference."""
    left = [float(np.mean(s.energies - shifts[s.types].sum())) / s.n_atoms for s in systems]
    low, high = int(np.argmin(left)), int(np.argmax(left))
    if left[high] - left[low] < ONE_REFERENCE_EV:
        return None
    return (
        f"{systems[low].name} and {systems[high].name} lie {left[high] - left[low]:.2f} eV/atom apart after the fit of "
        "energy shifts; if they come from different codes or settings, name their references in reference.raw"
    )


def _fit(systems: Sequence[System], n_types: int) -> tuple[Floats, NDArray[np.bool_], int]:
    """Shifts [n_types], elements present [n_types], rank of the fit; each frame weighs the same."""
    fractions = [np.bincount(s.types, minlength=n_types) / s.n_atoms for s in systems]
    matrix = np.repeat(fractions, [s.n_frames for s in systems], axis=0)
    energies = np.concatenate([s.energies / s.n_atoms for s in systems])
    solution, _, rank, _ = np.linalg.lstsq(matrix, energies, rcond=1e-9)
    return solution, np.asarray(matrix.any(axis=0)), int(rank)
