"""Energy constants between data sets of different reference, learned along with the model.

The shifts of each set are fitted to its own frames. Where sets hold different structures of the same elements, say
liquids here and dimers there, what the shifts leave of the same structure differs by tenths of eV per atom from set to
set, and no network can learn both: with weight on energies it would break the forces instead. So the labels of every
set but an element's first move by a constant per element, which follows the errors of the energies by least mean
squares (B. Widrow and M. E. Hoff, IRE WESCON Convention Record 4, 1960). Energies of the first set, often the smallest,
move the model's own constants in the same way, and those of the other sets along with them; else the model would follow
the many frames, and the few that it is to be right for would pay the difference.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_FASTEST = 0.1  # share of an error that a frame of one element takes away

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Composition:
    """What the energy reference of a system depends on.

    Attributes:
        dataset: see `System`.
        shares: [n_types] of each element among its atoms.
    """

    dataset: str
    shares: Floats


class References:
    """What is added to the energies of each data set.

    Args:
        systems: to train on; an element counts from the first set that holds it.

    Attributes:
        values: data set to [n_types] eV per atom.
    """

    def __init__(self, systems: Sequence[Composition]) -> None:
        self._free: dict[str, NDArray[np.bool_]] = {}
        owned = np.zeros(systems[0].shares.shape, dtype=bool)
        for name in dict.fromkeys(system.dataset for system in systems):
            present = np.any([system.shares > 0 for system in systems if system.dataset == name], axis=0)
            self._free[name] = present & owned
            owned |= present
        self.values = {name: np.zeros(len(owned)) for name in self._free}
        self.moving = any(free.any() for free in self._free.values())

    def of(self, system: Composition) -> float:
        """What to add to the energies of a system, eV per atom."""
        return float(self.values[system.dataset] @ system.shares) if system.dataset in self.values else 0.0

    def change(self, systems: Sequence[Composition], errors: Sequence[float], progress: float) -> Floats:
        """What some frames say that should change, for `move`.

        Args:
            systems: of each frame.
            errors: of its energy, predicted less labeled, eV/atom.
            progress: learning rate over its start value; constants settle as it falls.

        Returns:
            [1 + n_sets, n_types] eV per atom: of the model's elements, then of the constants of each set.
        """
        rows = {name: row for row, name in enumerate(self.values, start=1)}
        change = np.zeros((1 + len(rows), len(next(iter(self.values.values())))))
        for system, error in zip(systems, errors, strict=True):
            by, free = _FASTEST * progress**0.5 * error * system.shares, self._free[system.dataset]
            change[rows[system.dataset]] += free * by
            change[0] -= ~free * by
        return change

    def move(self, change: Floats) -> Floats:
        """Take a change over; what the constants count from moves with the model.

        Returns:
            [n_types] what to add to the energy of each element's atoms in the model, eV.
        """
        for name, by in zip(self.values, change[1:], strict=True):
            self.values[name] = self.values[name] + by + self._free[name] * change[0]
        return change[0]

    def fit(self, systems: Sequence[Composition], errors: Sequence[float], model_moves: bool = False) -> Floats:
        """Take the constants that leave least of the errors, by least squares.

        Args:
            systems: of each frame.
            errors: of its energy, predicted less labeled, eV/atom.
            model_moves: whether the energies of the model's elements may change as well, or stay as they are.

        Returns:
            [n_types] what to add to the energy of each element's atoms in the model, eV; zeros if it stays.
        """
        shares = np.array([system.shares for system in systems])
        columns = [shares * model_moves]
        for name, free in self._free.items():
            of_set = np.array([system.dataset == name for system in systems])
            columns.append(-shares * of_set[:, None] * free)
        found, *_ = np.linalg.lstsq(np.hstack(columns), -np.array(errors), rcond=1e-3)
        by_model, *by_set = found.reshape(-1, shares.shape[1])
        for name, by in zip(self.values, by_set, strict=True):
            self.values[name] = self.values[name] + by
        return by_model

    def state(self) -> dict[str, list[float]]:
        """Plain values that `restore` takes."""
        return {name: value.tolist() for name, value in self.values.items()}

    def restore(self, state: Mapping[str, Sequence[float]]) -> None:
        """Continue with the constants of this state."""
        self.values |= {name: np.array(state[name]) for name in self.values if name in state}

    def report(self, type_map: Sequence[str]) -> None:
        """Log what was added."""
        for name, free in self._free.items():
            if free.any():
                moved = zip(type_map, self.values[name], free, strict=True)
                text = ", ".join(f"{element} {value:+.3f}" for element, value, is_free in moved if is_free)
                logger.info("energies of %s were moved to the reference of the others, eV per atom: %s", name, text)
