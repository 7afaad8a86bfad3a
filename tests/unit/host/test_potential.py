"""Frames as arrays: units, symmetries, conventions and bad input."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nvnmd.host as host
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model

Positions = NDArray[np.float64]
Types = NDArray[np.int64]
CELL = 6.0 * np.eye(3)


@pytest.fixture
def potential(model_path: Path) -> host.Potential:
    return host.Potential(model_path, threads=1)


def test_model_info(model_path: Path, potential: host.Potential) -> None:
    info = host.model_info(model_path)
    assert info["type_map"] == ["Ge", "Te"]
    assert info["provenance"] == {"source": "random", "seed": 29}
    assert potential.type_map == ("Ge", "Te")
    assert potential.cutoff_A == 6.0
    assert potential.description.startswith("cpu (")


def test_units(potential: host.Potential, positions: Positions, types: Types) -> None:
    result = potential.compute(positions, CELL, types, atom_virials=True, raw=True)
    assert result.raw is not None
    assert result.energy == pytest.approx(result.atom_energies.sum(), abs=1e-12)
    np.testing.assert_array_equal(result.forces * 2**20, result.raw.force)
    np.testing.assert_array_equal(result.atom_energies * 2**22, result.raw.atom_energy)
    assert result.virial is not None
    assert result.atom_virials is not None
    np.testing.assert_array_equal(result.virial, result.atom_virials.sum(axis=0))
    assert not result.forces.sum(axis=0).any()


def test_what_is_not_asked_for_is_none(potential: host.Potential, positions: Positions, types: Types) -> None:
    result = potential.compute(positions, CELL, types, virial=False)
    assert result.virial is None
    assert result.atom_virials is None
    assert result.raw is None


def test_virial_is_minus_the_strain_derivative(potential: host.Potential, cluster: Positions, types: Types) -> None:
    virial, step = potential.compute(cluster, CELL, types, periodic=False).virial, 0.004
    assert virial is not None
    for a, b in [(0, 0), (1, 1), (0, 2)]:
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * step
            energies.append(potential.compute(cluster @ strain, CELL, types, periodic=False).energy)
        expected = -(energies[0] - energies[1]) / (2 * step)
        assert virial[a, b] == pytest.approx(expected, abs=0.02 * np.abs(virial).max())


def test_forces_are_minus_the_gradient(potential: host.Potential, cluster: Positions, types: Types) -> None:
    forces, step = potential.compute(cluster, CELL, types, periodic=False).forces, 0.01
    for atom, axis in [(0, 0), (3, 1), (6, 2)]:
        moved = [cluster.copy(), cluster.copy()]
        moved[0][atom, axis] += step
        moved[1][atom, axis] -= step
        ahead, behind = (potential.compute(frame, CELL, types, periodic=False).energy for frame in moved)
        assert -(ahead - behind) / (2 * step) == pytest.approx(forces[atom, axis], abs=0.02 * np.abs(forces).max())


def test_atom_order_and_cell_change_nothing(potential: host.Potential, positions: Positions, types: Types) -> None:
    whole = np.round(positions * 2**14) / 2**14  # so that shifts by cells are exact
    result = potential.compute(whole, CELL, types)
    order = np.random.default_rng(2).permutation(8)
    shifted = whole[order] + 6.0 * np.arange(-4, 4)[:, None]
    again = potential.compute(shifted, CELL, types[order])
    assert again.energy == result.energy
    np.testing.assert_array_equal(again.forces, result.forces[order])


def test_a_repeated_cell_gives_the_same_forces(potential: host.Potential, positions: Positions, types: Types) -> None:
    whole = np.round(positions * 2**14) / 2**14
    one = potential.compute(whole, CELL, types)
    double = potential.compute(np.vstack([whole, whole + 6 * np.eye(3)[0]]), np.diag([12.0, 6, 6]), np.tile(types, 2))
    assert double.energy == 2 * one.energy
    np.testing.assert_array_equal(double.forces, np.tile(one.forces, (2, 1)))


def test_periodic_in_some_directions(potential: host.Potential, positions: Positions, types: Types) -> None:
    """A direction without images is the same as a cell so long that no image is near."""
    slab = potential.compute(positions, np.diag([6.0, 6, 0]), types, periodic=(True, True, False))
    far = potential.compute(positions, np.diag([6.0, 6, 40]), types)
    np.testing.assert_array_equal(slab.forces, far.forces)
    wire = potential.compute(positions, np.diag([0.0, 6, 0]), types, periodic=(False, True, False))
    np.testing.assert_array_equal(wire.forces, potential.compute(positions, np.diag([40.0, 6, 40]), types).forces)
    drop = potential.compute(positions, np.zeros((3, 3)), types, periodic=False)
    np.testing.assert_array_equal(drop.forces, potential.compute(positions, 40 * np.eye(3), types).forces)


def test_symbols_and_types_are_the_same(potential: host.Potential, positions: Positions, types: Types) -> None:
    symbols = ["Ge" if number == 0 else "Te" for number in types]
    assert potential.compute(positions, CELL, symbols).energy == potential.compute(positions, CELL, types).energy


def test_a_kept_neighbor_list_changes_no_bit(model_path: Path, positions: Positions, types: Types) -> None:
    """Small moves, large ones, other cells and other numbers of atoms, one after another."""
    rng = np.random.default_rng(4)
    fresh, kept = host.Potential(model_path), host.Potential(model_path, skin_A=1.0)
    walk, cell = np.vstack([positions, positions + 6 * np.eye(3)[0]]), np.diag([12.0, 6, 6])
    for step in range(30):
        walk = walk + rng.uniform(-0.02, 0.02, walk.shape) + (6.0 if step == 10 else 0.0)
        frame = (walk, cell * (1.05 if step % 7 == 6 else 1.0), np.tile(types, 2))
        if step % 5 == 4:
            frame = (positions, CELL, types)
        expected, found = fresh.compute(*frame), kept.compute(*frame)
        assert found.energy == expected.energy
        np.testing.assert_array_equal(found.forces, expected.forces)


def test_no_atoms(potential: host.Potential) -> None:
    result = potential.compute(np.zeros((0, 3)), CELL, np.zeros(0, int))
    assert result.energy == 0.0
    assert result.forces.shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"positions": [[0.0, 0, 0], [np.nan, 1, 1]]}, "out_of_range", r"positions\[1\] is not a finite number"),
        ({"positions": [[0.0, 0, 0], [np.inf, 1, 1]]}, "out_of_range", r"positions\[1\] is not a finite number"),
        ({"positions": [[0.0, 0, 0], [0.5, 0, 0]]}, "too_close", "atoms 0 and 1 are 0.5 A apart; the tables start at"),
        ({"positions": [[0.0, 0], [1, 1]]}, "out_of_range", r"positions has shape \(2, 2\), not \[n, 3\]"),
        ({"cell": np.eye(2)}, "out_of_range", r"cell has shape \(2, 2\), not \[3, 3\]"),
        ({"cell": np.zeros((3, 3))}, "out_of_range", "flat in a periodic direction"),
        ({"cell": np.full((3, 3), np.nan)}, "out_of_range", "cell.* is not a finite number"),
        (
            {"cell": 2.5 * np.eye(3), "positions": np.full((2, 3), [[0], [1.2]])},
            "too_many_neighbors",
            "atom 0 has more than 64 neighbors within 6 A",
        ),
        ({"types": [0]}, "out_of_range", "2 positions but types of shape"),
        ({"types": [0, 2]}, "out_of_range", "atom 1 has type 2, which the model does not have"),
        ({"types": [0, -1]}, "out_of_range", "atom 1 has type -1"),
        ({"types": [0.0, 1.0]}, "out_of_range", "types must be integers or element symbols, not float64"),
        ({"types": ["Ge", "Sb"]}, "type_map", "no element Sb; it knows Ge, Te"),
    ],
)
def test_bad_input(potential: host.Potential, change: dict[str, Any], code: str, message: str) -> None:
    frame = {"positions": [[0.0, 0, 0], [3.0, 0, 0]], "cell": 10 * np.eye(3), "types": [0, 1], **change}
    with pytest.raises(host.Error, match=message) as error:
        potential.compute(**frame)
    assert isinstance(error.value, RuntimeError)
    assert error.value.code == code


def test_errors_name_the_atoms(potential: host.Potential) -> None:
    with pytest.raises(host.Error) as error:
        potential.compute([[0, 0, 0], [3, 0, 0], [3.5, 0, 0]], 10 * np.eye(3), [0, 1, 1])
    assert (error.value.atom, error.value.neighbor) == (1, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"first": [0, 1]}, "neighbor arrays disagree"),
        ({"first": [0, 2, 1]}, "first decreases at atom 1"),
        ({"first": [1, 1, 1]}, "neighbor arrays disagree"),
        ({"neighbor": [2]}, "neighbor index 2 is not an atom"),
        ({"neighbor": [-1]}, "neighbor index -1 is not an atom"),
        ({"displacement": [[98304, 0, 0]]}, "pair 0 is too wide or not inside the cutoff"),
        ({"displacement": [[1 << 62, 1 << 62, 0]]}, "pair 0 is too wide or not inside the cutoff"),
        ({"types": [0, 7]}, "atom 1 has type 7"),
    ],
)
def test_bad_words(potential: host.Potential, words: dict[str, Any], message: str) -> None:
    good = {"types": [0, 1], "first": [0, 1, 1], "neighbor": [1], "displacement": [[1 << 15, 0, 0]]}
    assert potential.compute_words(**good).force.any()
    with pytest.raises(host.Error, match=message):
        potential.compute_words(**(good | words))


def test_kernels_are_chosen_by_name(model_path: Path) -> None:
    names = host.kernel_names()
    assert names[-1] == "portable"
    assert names[0] in host.Potential(model_path).description
    with pytest.raises(host.Error, match="kernel 'cuda' is unknown") as error:
        host.Potential(model_path, kernel="cuda")
    assert error.value.code == "backend"


def test_a_vector_kernel_refuses_sizes_that_it_does_not_cover(tmp_path: Path) -> None:
    save_model(random_model(1, m1=6, m2=3, neuron=(10,)), tmp_path / "odd.nvnmd")
    assert "portable" in host.Potential(tmp_path / "odd.nvnmd").description
    for name in host.kernel_names()[:-1]:
        with pytest.raises(host.Error, match="does not cover this model"):
            host.Potential(tmp_path / "odd.nvnmd", kernel=name)
