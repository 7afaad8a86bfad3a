"""Dimers, lattices and equations of state."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from small_models import random_model

from nvnmd.training.ase_calculator import DeepPotCalculator
from nvnmd.training.neighbors import GeometryError
from nvnmd.training.probes import GPA_PER_EV_A3, ProbeError, birch_murnaghan, crystal, dimer

GRID = np.arange(0.8, 5.0, 0.05)


class Pair(Calculator):
    """Energy of two atoms by a function of their distance."""

    implemented_properties = ("energy",)

    def __init__(self, function):
        super().__init__()
        self.function = function

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": self.function(float(np.linalg.norm(atoms.positions[1] - atoms.positions[0]))) + 7.0}


def morse(r):
    return (np.exp(-2.0 * (r - 2.6)) - 2.0 * np.exp(-(r - 2.6))) if r < 5.5 else 0.0


def test_a_sound_dimer_has_a_well_and_a_wall():
    found = dimer(Pair(morse), ("Ge", "Te"), GRID, 5.5)
    assert found.contact == pytest.approx(1.20 + 1.38)
    assert found.well == pytest.approx((2.6, -1.0))
    assert found.attractive_inside is None
    assert found.wall == pytest.approx(morse(0.8) + 1.0)


def test_a_hole_at_short_distance_is_found():
    found = dimer(Pair(lambda r: morse(r) - 80.0 * np.exp(-((r - 1.2) ** 2) / 0.02)), ("Ge", "Te"), GRID, 5.5)
    assert found.attractive_inside == pytest.approx(1.5, abs=0.15)
    assert found.wall == pytest.approx(morse(1.5) + 1.0, abs=2.0)


def test_refused_distances_stay_empty():
    def refuse(r):
        if r < 1.5:
            raise GeometryError("too close")
        return morse(r)

    found = dimer(Pair(refuse), ("Te", "Te"), GRID, 5.5, (GeometryError,))
    assert np.array_equal(np.isnan(found.energies), GRID < 1.5)
    assert found.attractive_inside is None
    with pytest.raises(GeometryError):
        dimer(Pair(refuse), ("Te", "Te"), GRID, 5.5)


def test_the_guard_makes_a_wall_for_every_pair():
    """Random networks hold nothing apart; the guard does, for each pair."""
    for pair in (("Ge", "Ge"), ("Ge", "Te"), ("Te", "Te")):
        scans = [dimer(DeepPotCalculator(random_model(guard=g)), pair, GRID, 5.0) for g in (True, False)]
        assert scans[0].energies[0] > 100.0
        assert abs(scans[1].energies[0]) < 10.0


def test_birch_murnaghan_finds_what_made_the_energies():
    volume, energy, modulus, slope = 28.0, -4.0, 0.3, 4.6
    volumes = np.linspace(26.0, 30.5, 9)
    x = (volume / volumes) ** (2 / 3) - 1
    energies = energy + 9 * volume * modulus / 16 * (x**3 * slope + x**2 * (6 - 4 * (x + 1)))
    assert birch_murnaghan(volumes, energies) == pytest.approx((volume, energy, modulus, 0.0), abs=1e-9)


def test_energies_without_a_minimum_are_refused():
    with pytest.raises(ProbeError, match="no minimum between 20"):
        birch_murnaghan(np.linspace(20, 30, 7), np.linspace(1.0, 0.0, 7))


def test_a_crystal_finds_its_lattice():
    """EMT copper: lattice constant 3.590 A and its second derivative by finite differences."""
    start = bulk("Cu", "fcc", a=3.7, cubic=True)
    found = crystal(start, EMT(), (-0.03, -0.015, 0.0, 0.015, 0.03))
    assert found.converged
    assert found.start[0] == pytest.approx(3.7)
    assert found.relaxed[:3] == pytest.approx((found.relaxed[0],) * 3)
    assert found.volume == pytest.approx(found.relaxed[0] ** 3 / 4, rel=2e-3)

    def energy(volume):
        atoms = bulk("Cu", "fcc", a=(4 * volume) ** (1 / 3), cubic=True)
        atoms.calc = EMT()
        return atoms.get_potential_energy() / 4

    v, h = found.volume, 0.05
    curvature = (energy(v + h) - 2 * energy(v) + energy(v - h)) / h**2
    assert found.bulk_modulus == pytest.approx(v * curvature * GPA_PER_EV_A3, rel=0.03)
