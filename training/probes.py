"""Physics that no test set shows: what a potential says of two atoms alone, and of a crystal under pressure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.errors import NvnmdError

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
GPA_PER_EV_A3 = 160.21766


class ProbeError(NvnmdError, ValueError):
    """A probe that gives no result."""


@dataclass(frozen=True)
class Dimer:
    """Two atoms alone.

    Attributes:
        pair: elements; distances: [n] angstrom, ascending; energies: [n] eV against both atoms far apart; NaN where the
            potential refuses the distance.
        contact: sum of the covalent radii, angstrom.
    """

    pair: tuple[str, str]
    distances: Floats
    energies: Floats
    contact: float

    @property
    def well(self) -> tuple[float, float]:
        """Distance (angstrom) and energy (eV) of the minimum beyond 0.8 times the contact distance."""
        beyond = np.flatnonzero((self.distances >= 0.8 * self.contact) & np.isfinite(self.energies))
        lowest = beyond[np.argmin(self.energies[beyond])]
        return float(self.distances[lowest]), float(self.energies[lowest])

    @property
    def attractive_inside(self) -> float | None:
        """Largest distance below the well from which the energy falls as atoms come closer, angstrom; None: nowhere."""
        inside = np.flatnonzero((self.distances < self.well[0]) & np.isfinite(self.energies))
        falling = [k for k in inside[1:] if self.energies[k] > self.energies[k - 1]]
        return float(self.distances[max(falling)]) if falling else None

    @property
    def wall(self) -> float:
        """Height in eV that approaching atoms climb from the well before the energy falls or the scan ends."""
        start = self.attractive_inside or 0.0
        inside = (self.distances >= start) & (self.distances <= self.well[0]) & np.isfinite(self.energies)
        return float(self.energies[inside].max() - self.well[1])


def dimer(
    calculator: Any, pair: tuple[str, str], distances: Floats, cutoff: float, refuses: tuple[type[Exception], ...] = ()
) -> Dimer:
    """Scan the distance of two atoms that are alone.

    Args:
        calculator: ASE calculator.
        pair: elements.
        distances: [n] angstrom, ascending.
        cutoff: of the potential, angstrom; the energy is counted from two atoms farther apart than it.
        refuses: errors with which the potential refuses atoms too close.
    """
    from ase import Atoms
    from ase.data import atomic_numbers, covalent_radii

    def energy(distance: float) -> float:
        atoms = Atoms(list(pair), [[0, 0, 0], [distance, 0, 0]])
        atoms.calc = calculator
        try:
            return float(atoms.get_potential_energy())
        except refuses:
            return float("nan")

    far = energy(cutoff + 1.0)
    energies = np.array([energy(float(r)) - far for r in distances])
    contact = float(sum(covalent_radii[atomic_numbers[name]] for name in pair))
    return Dimer(pair, distances, energies, contact)


@dataclass(frozen=True)
class Crystal:
    """A crystal relaxed, and its equation of state.

    Attributes:
        start, relaxed: a, b, c in angstrom and the three angles in degrees.
        volumes, energies: [n] angstrom^3 and eV per atom, of the relaxed cell strained alike in all directions with
            atoms relaxed.
        volume, energy, bulk_modulus: of the fit after Birch and Murnaghan; angstrom^3 and eV per atom, GPa.
        residual: root-mean-square deviation of the energies from the fit, eV per atom.
        converged: whether all relaxations reached their force.
    """

    start: tuple[float, ...]
    relaxed: tuple[float, ...]
    volumes: Floats
    energies: Floats
    volume: float
    energy: float
    bulk_modulus: float
    residual: float
    converged: bool


def crystal(
    atoms: Atoms, calculator: Any, strains: Sequence[float], fmax: float = 0.01, max_steps: int = 200
) -> Crystal:
    """Relax cell and atoms, then strain the cell and relax the atoms in it.

    Args:
        atoms: any cell; left as it is.
        calculator: ASE calculator with stress.
        strains: linear strains, at least four, on both sides of 0.
        fmax: largest force left, eV/angstrom.
        max_steps: of each relaxation.

    Raises:
        ProbeError: the energies have no minimum in the range of the strains.
    """
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE

    free = atoms.copy()
    free.calc = calculator
    converged = bool(FIRE(FrechetCellFilter(free), logfile=None).run(fmax=fmax, steps=2 * max_steps))
    volumes, energies = [], []
    for strain in strains:
        strained = free.copy()
        strained.calc = calculator
        strained.set_cell(free.cell.array * (1.0 + strain), scale_atoms=True)
        converged &= bool(FIRE(strained, logfile=None).run(fmax=fmax, steps=max_steps))
        volumes.append(strained.get_volume() / len(atoms))
        energies.append(strained.get_potential_energy() / len(atoms))
    v, e = np.array(volumes), np.array(energies)
    volume, energy, modulus, residual = birch_murnaghan(v, e)
    start, relaxed = (tuple(float(x) for x in a.cell.cellpar()) for a in (atoms, free))
    return Crystal(start, relaxed, v, e, volume, energy, modulus * GPA_PER_EV_A3, residual, converged)


def birch_murnaghan(volumes: Floats, energies: Floats) -> tuple[float, float, float, float]:
    """Third-order fit (Birch, Phys. Rev. 71, 809 (1947)): a cubic in V^(-2/3).

    Args:
        volumes: [n] angstrom^3; energies: [n] eV.

    Returns:
        V0 (angstrom^3), E0 (eV), B0 (eV/angstrom^3) and the root-mean-square residual (eV).

    Raises:
        ProbeError: no minimum between the smallest and the largest volume.
    """
    x = volumes ** (-2.0 / 3.0)
    middle, width = x.mean(), np.ptp(x)
    cubic = np.poly1d(np.polyfit((x - middle) / width, energies, 3))
    roots = [r.real for r in cubic.deriv().roots if abs(r.imag) < 1e-12 and cubic.deriv(2)(r.real) > 0]
    inside = [r for r in roots if x.min() <= r * width + middle <= x.max()]
    if not inside:
        raise ProbeError(
            f"the energy has no minimum between {volumes.min():.2f} and {volumes.max():.2f} A^3 per atom; the "
            "potential does not hold this crystal near its volume"
        )
    root = inside[0]
    x0 = root * width + middle
    volume = x0**-1.5
    curvature = cubic.deriv(2)(root) / width**2  # d2E/dx2; dx/dV = -2/3 x / V
    modulus = curvature * (2.0 / 3.0 * x0) ** 2 / volume
    residual = float(np.sqrt(np.mean((cubic((x - middle) / width) - energies) ** 2)))
    return float(volume), float(cubic(root)), float(modulus), residual
