"""The short-range guard: a screened nuclear repulsion that keeps atoms apart where no frame has taught the model.

V(r) is the universal potential of Ziegler, Biersack and Littmark (The Stopping and Range of Ions in Solids, 1985),
multiplied by a quintic that is 1 below r_in and 0 above r_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.environment import smooth_step
from nvnmd.training.errors import NvnmdError

COULOMB_EV_A = 14.399645478425668  # e^2 / (4 pi eps0)
BOHR_A = 0.529177210903
ZBL_TERMS = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))


@dataclass(frozen=True)
class Guard:
    """Parameters of the guard per ordered pair of types; r_in = r_out = 0 switches a pair off.

    Attributes:
        charges: [n_types] nuclear charge.
        r_in: [n_types, n_types] angstrom, full strength below.
        r_out: [n_types, n_types] angstrom, nothing beyond.
    """

    charges: NDArray[np.float64]
    r_in: NDArray[np.float64]
    r_out: NDArray[np.float64]

    @classmethod
    def for_elements(cls, type_map: Sequence[str], inner: float = 0.60, outer: float = 0.80) -> Guard:
        """Guard between elements, from `inner` to `outer` times the sum of their covalent radii.

        Raises:
            NvnmdError: a name of the type map is not a chemical element.
        """
        from ase.data import atomic_numbers, covalent_radii

        unknown = [name for name in type_map if name not in atomic_numbers]
        if unknown:
            raise NvnmdError(
                f"type_map: {unknown[0]!r} is not a chemical element, so its guard has no nuclear charge; "
                f"rename the type or set nvnmd.guard to false"
            )
        numbers = [atomic_numbers[name] for name in type_map]
        radii = np.array([covalent_radii[z] for z in numbers], dtype=np.float64)
        contact = radii[:, None] + radii[None, :]
        return cls(np.array(numbers, dtype=np.float64), inner * contact, outer * contact)

    @classmethod
    def off(cls, n_types: int) -> Guard:
        """A guard that never acts."""
        return cls(np.ones(n_types), np.zeros((n_types, n_types)), np.zeros((n_types, n_types)))

    def energy(
        self, distances: NDArray[np.float64], center: NDArray[np.int64], neighbor: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Guard energy of pairs and its derivative.

        Args:
            distances: [n] angstrom.
            center: [n] type of one atom.
            neighbor: [n] type of the other.

        Returns:
            V: [n] eV (of the whole pair, not half of it), dV/dr: [n] eV/angstrom.
        """
        inner, outer = self.r_in[center, neighbor], self.r_out[center, neighbor]
        close = np.flatnonzero(distances < outer)
        value, slope = np.zeros_like(distances), np.zeros_like(distances)
        r = distances[close]
        v, dv = _zbl(r, self.charges[center[close]], self.charges[neighbor[close]])
        w, dw = smooth_step(r, inner[close], outer[close])
        value[close], slope[close] = v * w, dv * w + v * dw
        return value, slope


def _zbl(
    r: NDArray[np.float64], z1: NDArray[np.float64], z2: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = r * (z1**0.23 + z2**0.23) / (0.8854 * BOHR_A)
    terms = [(c * np.exp(-d * x), d) for c, d in ZBL_TERMS]
    phi = sum((term for term, _ in terms), np.zeros_like(r))
    dphi = sum((-d * term for term, d in terms), np.zeros_like(r)) * x / r
    coulomb = COULOMB_EV_A * z1 * z2 / r
    return coulomb * phi, coulomb * (dphi - phi / r)
