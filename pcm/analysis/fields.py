"""Fields in space: profiles along an axis and maps on a grid, of temperature or of any number that atoms have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]
Axis = Literal["x", "y", "z"]

K_PER_AMU_A2_PER_PS2 = 1.66053906660e-27 * 1e4 / 1.380649e-23
"""An atomic mass unit times (A/ps)^2 over the Boltzmann constant, in K."""
_AXES = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True)
class Profile:
    """position_A: [bins] centers along the axis; value: [bins], NaN where no atom is; atoms: [bins] atoms counted."""

    axis: Axis
    position_A: Floats
    value: Floats
    atoms: Floats


@dataclass(frozen=True)
class FieldMap:
    """value: [bins of the first axis, bins of the second]; edges in A; NaN where no atom is within reach."""

    axes: tuple[Axis, Axis]
    edges_A: tuple[Floats, Floats]
    value: Floats


def atom_temperatures(snapshot: Snapshot) -> Floats:
    """m v^2 / (3 k_B) of every atom [n] in K: its kinetic energy as a temperature (Zhou et al. 2025, equation S1).

    Raises PcmError for a frame without velocities.
    """
    from ase.data import atomic_masses, atomic_numbers

    if snapshot.velocities is None:
        raise PcmError(
            f"the frame of step {snapshot.step} has no velocities, so no temperatures can be mapped; "
            "store them with 'velocities: true' in the stage"
        )
    masses = {symbol: atomic_masses[atomic_numbers[symbol]] for symbol in np.unique(snapshot.symbols).tolist()}
    mass = np.array([masses[symbol] for symbol in snapshot.symbols.tolist()])
    return np.asarray(mass * (snapshot.velocities**2).sum(axis=1) * K_PER_AMU_A2_PER_PS2 / 3, dtype=np.float64)


def profile(snapshot: Snapshot, values: Floats, axis: Axis = "z", width_A: float = 5.0) -> Profile:
    """Mean of `values` [n] over the atoms in slabs of about `width_A` across an axis of a right-angled cell."""
    where, length = _along(snapshot, axis)
    bins = max(1, round(length / width_A))
    index = np.minimum((where / length * bins).astype(np.int64), bins - 1)
    atoms = np.bincount(index, minlength=bins).astype(np.float64)
    sums = np.bincount(index, weights=values, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.where(atoms > 0, sums / atoms, np.nan)
    return Profile(axis, (np.arange(bins) + 0.5) * length / bins, mean, atoms)


def density_profile(snapshot: Snapshot, axis: Axis = "z", width_A: float = 1.0) -> dict[str, Profile]:
    """Number density of each element in atoms/A^3, in slabs across an axis."""
    found = {}
    area = abs(float(np.linalg.det(snapshot.cell))) / float(snapshot.cell[_AXES[axis], _AXES[axis]])
    for element in np.unique(snapshot.symbols).tolist():
        own = (snapshot.symbols == element).astype(np.float64)
        slabs = profile(snapshot, own, axis, width_A)
        volume = area * (slabs.position_A[0] * 2)
        found[element] = Profile(axis, slabs.position_A, np.nan_to_num(slabs.value) * slabs.atoms / volume, slabs.atoms)
    return found


def field_map(
    snapshot: Snapshot,
    values: Floats,
    axes: tuple[Axis, Axis] = ("x", "z"),
    spacing_A: float = 3.4,
    smoothing_A: float = 10.0,
    open_axes: tuple[Axis, ...] = (),
) -> FieldMap:
    """Mean of `values` [n] over columns of the cell, smoothed by a Gaussian of that standard deviation.

    Sums and numbers of atoms are smoothed apart, so that every atom weighs the same and empty columns take nothing.
    Smoothing goes around the periodic faces, but for `open_axes`. Zhou et al. (2023) use 60 x 36 columns over 20 x 12
    nm^2 and 10 A.
    """
    from scipy.ndimage import gaussian_filter

    along = [_along(snapshot, axis) for axis in axes]
    edges = tuple(np.linspace(0.0, length, max(1, round(length / spacing_A)) + 1) for _, length in along)
    points = np.stack([where for where, _ in along], axis=1)
    sums, counts = (np.histogramdd(points, bins=edges, weights=w)[0] for w in (values, np.ones(len(values))))
    widths = [smoothing_A / (edge[1] - edge[0]) for edge in edges]
    if smoothing_A > 0:
        modes = ["constant" if axis in open_axes else "wrap" for axis in axes]
        sums, counts = (gaussian_filter(a, widths, mode=modes) for a in (sums, counts))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(counts > 1e-9, sums / counts, np.nan)
    return FieldMap(axes, (edges[0], edges[1]), value)


def _along(snapshot: Snapshot, axis: Axis) -> tuple[Floats, float]:
    """Position of every atom along an axis, wrapped into the cell [n], and the cell's length; both in A."""
    off = snapshot.cell - np.diag(np.diag(snapshot.cell))
    if np.abs(off).max() > 1e-6 * np.abs(snapshot.cell).max():
        raise PcmError(f"the frame of step {snapshot.step} has a tilted cell; profiles and maps need right angles")
    number = _AXES[axis]
    length = float(snapshot.cell[number, number])
    return snapshot.positions[:, number] % length, length
