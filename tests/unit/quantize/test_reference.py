"""The reference: arithmetic without overflow, edges, symmetry, and forces that belong to the energy."""

from dataclasses import replace

import numpy as np
import pytest
from quantize_cases import FRAMES, SMALL, Frame, crystal

from nvnmd.quantize.fixed import STAGES
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import FrameResult, evaluate_frame, pack_frame
from nvnmd.quantize.reference import AtomInput, AtomResult, evaluate_atom
from nvnmd.quantize.testing import random_atoms, random_model


def run(model: IntegerModel, frame: Frame) -> FrameResult:
    return evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types))


def same(a: AtomResult, b: AtomResult) -> bool:
    words = all(np.array_equal(a.trace[name], b.trace[name].astype(np.int64)) for name in a.trace if name != "E_net")
    return words and (a.energy, a.clipped, a.too_close) == (b.energy, b.clipped, b.too_close)


@pytest.mark.parametrize("gates", [False, True])
def test_int64_never_overflows(gates: bool) -> None:
    model = random_model(3, gated=gates, **SMALL)
    for atom in random_atoms(12, 5):
        assert same(evaluate_atom(model, atom), evaluate_atom(model, atom, dtype=object))


def test_int64_never_overflows_when_everything_saturates(model: IntegerModel) -> None:
    rng = np.random.default_rng(0)
    extreme = replace(model, feature_coef=np.sign(rng.normal(size=model.feature_coef.shape)).astype(np.int16) * 10000)
    atom = AtomInput(0, np.tile(np.array([[24576, 0, 0]]), (300, 1)), np.zeros(300, np.int64))
    result = evaluate_atom(extreme, atom)
    assert result.clipped["X"] > 0
    assert same(result, evaluate_atom(extreme, atom, dtype=object))


def test_an_atom_without_neighbors_has_the_energy_of_zero_features(model: IntegerModel) -> None:
    alone = evaluate_atom(model, AtomInput(1, np.zeros((0, 3), np.int64), np.zeros(0, np.int64)))
    assert alone.force.shape == (0, 3)
    assert not alone.trace["D"].any()
    assert sum(alone.clipped.values()) == alone.too_close == 0


def test_the_order_of_neighbors_does_not_matter(model: IntegerModel) -> None:
    atom = random_atoms(8, 9)[3]
    order = np.random.default_rng(1).permutation(len(atom.neighbor_type))
    shuffled = AtomInput(atom.center_type, atom.displacement[order], atom.neighbor_type[order])
    a, b = evaluate_atom(model, atom), evaluate_atom(model, shuffled)
    assert a.energy == b.energy
    assert np.array_equal(a.force[order], b.force)


def test_atoms_closer_than_the_table_are_counted(model: IntegerModel) -> None:
    x = np.array([[0, 0, 0], [3, -2, 1], [30000, 0, 0]])
    result = evaluate_atom(model, AtomInput(0, x, np.array([0, 1, 0])))
    assert result.too_close == 2
    assert set(result.clipped) == set(STAGES)


def test_saturation_is_symmetric(model: IntegerModel) -> None:
    # Words of both signs at the limit: mirrored displacements give mirrored forces, as a clamp to -2^(b-1) would not.
    rng = np.random.default_rng(3)
    extreme = replace(model, feature_coef=np.sign(rng.normal(size=model.feature_coef.shape)).astype(np.int16) * 9000)
    x = rng.integers(-20000, 20000, (200, 3))
    types = rng.integers(0, 2, 200)
    a, b = (evaluate_atom(extreme, AtomInput(0, sign * x, types)) for sign in (1, -1))
    assert a.clipped == b.clipped
    assert sum(a.clipped.values()) > 0
    assert (np.abs(a.force + b.force) <= 1).all()  # a half goes up on both sides


@pytest.mark.parametrize("name", ["liquid", "crystal", "small cell", "one atom"])
def test_momentum_is_conserved_exactly(model: IntegerModel, name: str) -> None:
    assert run(model, FRAMES[name]).force.sum(axis=0).tolist() == [0, 0, 0]


def test_renumbering_atoms_renumbers_the_result(model: IntegerModel) -> None:
    frame = FRAMES["liquid"]
    order = np.random.default_rng(0).permutation(len(frame.types))
    a, b = run(model, frame), run(model, Frame(frame.positions[order], frame.cell, frame.types[order]))
    assert np.array_equal(a.atom_energy[order], b.atom_energy)
    assert np.array_equal(a.force[order], b.force)
    assert np.array_equal(a.atom_virial[order], b.atom_virial)


def test_moving_all_atoms_by_representable_steps_changes_nothing(model: IntegerModel) -> None:
    frame = FRAMES["crystal"]
    grid = np.rint(frame.positions * 2.0**14) * 2.0**-14
    a = run(model, Frame(grid, frame.cell, frame.types))
    b = run(model, Frame(grid + np.array([1.25, -0.5, 3.0]), frame.cell, frame.types))
    assert np.array_equal(a.force, b.force)
    assert np.array_equal(a.atom_energy, b.atom_energy)


def test_turning_by_a_right_angle_turns_the_forces(model: IntegerModel) -> None:
    frame = FRAMES["liquid"]
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    a = run(model, frame)
    b = run(model, Frame(frame.positions @ turn, frame.cell @ turn, frame.types))
    # Rounding half up is not odd: single words may differ by a unit, which the sums carry along.
    assert np.abs(a.force @ turn - b.force).max() * 2.0**-model.formats.f_frac < 5e-3
    assert np.abs(a.atom_energy - b.atom_energy).max() * 2.0**-model.formats.e_frac < 2e-3


def test_the_work_along_a_path_is_the_change_of_energy(model: IntegerModel) -> None:
    frame, f = crystal(shake_A=0.1, seed=7), model.formats
    way = np.zeros_like(frame.positions)
    way[4] = [0.9, 0.2, -0.1]
    energies, powers = [], []
    for step in np.linspace(0, 1, 31):
        result = run(model, Frame(frame.positions + step * way, frame.cell, frame.types))
        energies.append(result.atom_energy.sum() * 2.0**-f.e_frac)
        powers.append((result.force[4] * 2.0**-f.f_frac) @ way[4])
    work = np.trapezoid(powers, dx=1 / 30)
    change = energies[0] - energies[-1]
    assert abs(change) > 0.02  # the path is worth something
    assert abs(work - change) < 2e-3


def test_the_virial_is_the_strain_derivative_of_the_energy(model: IntegerModel) -> None:
    frame, f = crystal(shake_A=0.1, seed=8), model.formats
    virial = run(model, frame).atom_virial.sum(axis=0) * 2.0**-f.w_frac
    h = 0.01
    energies = []
    for sign in (1, -1):
        scale = 1 + sign * h
        result = run(model, Frame(frame.positions * scale, frame.cell * scale, frame.types))
        energies.append(result.atom_energy.sum() * 2.0**-f.e_frac)
    assert abs(-(energies[0] - energies[1]) / (2 * h) - np.trace(virial)) < 0.03 * abs(np.trace(virial)) + 0.1
