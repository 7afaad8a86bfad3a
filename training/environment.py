"""The environment of an atom: switch, rows of the environment matrix, their scales.

The formulas are those of DeepPot-SE (Zhang et al., NeurIPS 2018) with the polynomial switch of DeePMD-kit.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.neighbors import PairList

_SMALLEST_SCALE = 1e-2


def switch(
    distances: NDArray[np.float64], rcut_smth: float, rcut: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smooth inverse distance s(r) = w(r)/r and its derivative.

    w is 1 below rcut_smth, 0 from rcut on, and u^3 (-6 u^2 + 15 u - 10) + 1 between, u = (r - rcut_smth) /
    (rcut - rcut_smth).

    Args:
        distances: [n] angstrom, positive.
        rcut_smth: where the switch starts, angstrom.
        rcut: where it ends, angstrom.

    Returns:
        s: [n] 1/angstrom, and ds/dr: [n] 1/angstrom^2.
    """
    w, dw = smooth_step(distances, rcut_smth, rcut)
    return w / distances, (dw - w / distances) / distances


def smooth_step(
    distances: NDArray[np.float64], inner: float | NDArray[np.float64], outer: float | NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The quintic that falls from 1 at `inner` to 0 at `outer`, and its derivative; both [n]."""
    u = np.clip((distances - inner) / (outer - inner), 0.0, 1.0)
    value = u * u * u * (-6.0 * u * u + 15.0 * u - 10.0) + 1.0
    slope = -30.0 * u * u * (u - 1.0) ** 2 / (outer - inner)
    return value, slope


def environment_scales(
    frames: Iterable[tuple[PairList, NDArray[np.int64]]],
    n_types: int,
    n_neighbors: int,
    rcut_smth: float,
    rcut: float,
    shared: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard deviations of the rows, which the model divides by; DeePMD-kit's statistics with `set_davg_zero`.

    Empty places of the `n_neighbors` per atom count as zeros, as in DeePMD-kit.

    Args:
        frames: pairs and types ([n_atoms]) of each frame to look at.
        n_types: number of elements of the model.
        n_neighbors: sum of `sel`.
        rcut_smth: angstrom.
        rcut: angstrom.
        shared: one scale for all center types (the se_atten form) instead of one per type.

    Returns:
        Radial and angular scale, each [n_types], 1/angstrom. A type that never occurs gets the mean of the others.
    """
    sums = np.zeros((n_types, 4))  # of s, s^2, the three angular components, their squares
    atoms = np.zeros(n_types)
    for pairs, types in frames:
        s, _ = switch(pairs.distances, rcut_smth, rcut)
        angular = s[:, None] * pairs.vectors / pairs.distances[:, None]
        columns = np.stack([s, s * s, angular.sum(1), (angular * angular).sum(1)], axis=1)
        np.add.at(sums, types[pairs.centers], columns)
        atoms += np.bincount(types, minlength=n_types)
    if shared:
        sums[:], atoms[:] = sums.sum(0), atoms.sum()
    known = atoms > 0
    places = np.where(known, atoms, 1.0)[:, None] * n_neighbors * np.array([1.0, 1.0, 3.0, 3.0])
    mean = sums / places
    scales = np.sqrt(np.maximum(mean[:, 1::2] - mean[:, ::2] ** 2, 0.0))
    scales = np.maximum(scales, _SMALLEST_SCALE)
    if known.any():
        scales[~known] = scales[known].mean(0)
    else:
        scales[:] = 1.0 / rcut
    return scales[:, 0].copy(), scales[:, 1].copy()
