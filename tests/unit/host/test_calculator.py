"""The ASE calculator: properties, units and signs."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.md.verlet import VelocityVerlet
from ase.units import fs
from numpy.typing import NDArray

import nvnmd.host as host


@pytest.fixture
def atoms(model_path: Path, positions: NDArray[np.float64], types: NDArray[np.int64]) -> Atoms:
    symbols = [("Ge", "Te")[number] for number in types]
    return Atoms(symbols, positions, cell=[6, 6, 6], pbc=True, calculator=host.NvnmdCalculator(model_path, threads=1))


def test_properties_are_those_of_the_potential(atoms: Atoms, model_path: Path) -> None:
    result = host.Potential(model_path).compute(atoms.positions, atoms.cell.array, atoms.get_chemical_symbols())
    assert atoms.get_potential_energy() == result.energy
    assert atoms.get_potential_energy(force_consistent=True) == result.energy
    np.testing.assert_array_equal(atoms.get_forces(), result.forces)
    np.testing.assert_array_equal(atoms.get_potential_energies(), result.atom_energies)
    assert result.virial is not None
    stress = -(result.virial + result.virial.T) / 2 / atoms.get_volume()
    np.testing.assert_allclose(atoms.get_stress(voigt=False), stress, rtol=1e-14)
    np.testing.assert_allclose(atoms.get_stresses().sum(axis=0), atoms.get_stress(), atol=1e-14)
    assert not any(atoms.calc.clipped.values())


def test_stress_is_the_strain_derivative_of_the_energy(atoms: Atoms, cluster: NDArray[np.float64]) -> None:
    atoms.positions = cluster
    atoms.cell = [14, 14, 14]
    stress, step = atoms.get_stress()[0], 0.004
    cell, energies = atoms.cell.array.copy(), []
    for sign in (1, -1):
        strained = cell.copy()
        strained[:, 0] *= 1 + sign * step
        atoms.set_cell(strained, scale_atoms=True)
        energies.append(atoms.get_potential_energy())
    expected = (energies[0] - energies[1]) / (2 * step) / abs(np.linalg.det(cell))
    assert stress == pytest.approx(expected, rel=0.02)


def test_molecular_dynamics_runs_and_keeps_momentum(atoms: Atoms) -> None:
    VelocityVerlet(atoms, 1.0 * fs).run(5)
    np.testing.assert_allclose(atoms.get_momenta().sum(axis=0), 0.0, atol=1e-12)


def test_a_molecule_has_no_stress(atoms: Atoms) -> None:
    atoms.pbc = False
    atoms.cell = None
    assert np.isfinite(atoms.get_forces()).all()
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()


def test_unknown_elements_are_named(atoms: Atoms) -> None:
    atoms.symbols[0] = "Sb"
    with pytest.raises(host.Error, match="no element Sb; it knows Ge, Te"):
        atoms.get_potential_energy()
