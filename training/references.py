"""Energy constants between data sets of different reference, found along with the model.

The shifts of each set are fitted to its own frames. Where sets hold different structures of the same elements, say
liquids here and dimers there, what the shifts leave of the same structure differs by tenths of eV per atom from set to
set, and no network can learn both: with weight on energies it would break the forces instead. So the labels of every
set but an element's first move by a constant per element, fitted again and again to what the model has left of them.
The first set, often the smallest, moves the model's own constants in the same fit; else the model would follow the many
frames, and the few that it is to be right for would pay the difference.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

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

    @classmethod
    def of(cls, dataset: str, types: NDArray[np.int64], n_types: int) -> Composition:
        """Of atoms whose types are indices into the model's type map."""
        return cls(dataset, np.bincount(types, minlength=n_types) / len(types))


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
