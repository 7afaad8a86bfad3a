"""The C++ kernels compute what the numpy reference computes, as equal integers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvnmd.host import Potential, RawResult, kernel_names
from nvnmd.quantize.fixed import STAGES
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.packing import FrameResult, FrameWords, evaluate_frame, pack_frame
from nvnmd.quantize.reference import AtomInput, squared_distance
from nvnmd.quantize.testing import random_atoms, random_model

DATA = Path(__file__).parents[2] / "data" / "gete-cp2k"
SMALL = {"neuron": (32, 32, 32), "m1": 32}
EIGHT = ("Ge", "Sb", "Te", "Ti", "N", "Si", "O", "W")
MODELS: dict[str, dict[str, Any]] = {
    "letter": {},
    "gated": {"gated": True, **SMALL},
    "no skip, no guard": {"skip": False, "guard": False, **SMALL},
    "three types": {"type_map": ("Ge", "Sb", "Te"), "neuron": (32, 64)},
    "eight types": {"type_map": EIGHT, "m1": 16, "m2": 2, "neuron": (32,)},
    "eight types, gated": {"type_map": EIGHT, "gated": True, "m1": 32, "neuron": (32, 32)},
    "odd sizes": {"m1": 7, "m2": 3, "neuron": (21, 21, 5)},
    "one layer": {"m1": 8, "m2": 2, "neuron": (16,), "type_map": ("Te",)},
}


def potential(model: IntegerModel, folder: Path, kernel: str = "auto", threads: int = 1) -> Potential:
    save_model(model, folder / "model.nvnmd")
    return Potential(folder / "model.nvnmd", kernel, threads)


def words_of(atoms: list[Any], n_types: int = 2) -> FrameWords:
    """One frame of atoms; their neighbors are lone atoms at the end, one of each type."""
    counts = [len(atom.displacement) for atom in atoms]
    types = np.array([*(atom.center_type for atom in atoms), *range(n_types)])
    first = np.concatenate([[0], np.cumsum(counts), np.full(n_types, sum(counts))])
    neighbor = np.concatenate([atom.neighbor_type for atom in atoms]) + len(atoms)
    return FrameWords(types, first, neighbor.astype(int), np.concatenate([atom.displacement for atom in atoms]))


def evaluate(run: Potential, words: FrameWords) -> RawResult:
    return run.compute_words(words.types, words.first, words.neighbor, words.displacement)


def assert_same(found: RawResult, expected: FrameResult) -> None:
    assert found.clipped == expected.clipped
    assert found.too_close == expected.too_close
    np.testing.assert_array_equal(found.atom_energy, expected.atom_energy)
    np.testing.assert_array_equal(found.force, expected.force)
    np.testing.assert_array_equal(found.atom_virial, expected.atom_virial)
    assert found.energy == expected.atom_energy.sum()
    np.testing.assert_array_equal(found.virial, expected.atom_virial.sum(axis=0))


@pytest.mark.parametrize("kind", MODELS)
def test_random_atoms(kind: str, tmp_path: Path) -> None:
    model = random_model(7, **MODELS[kind])
    words = words_of(random_atoms(40, 3, model.n_types, model.rcut_A), model.n_types)
    expected = evaluate_frame(model, words)
    assert len(np.unique(expected.force)) > 100
    assert_same(evaluate(potential(model, tmp_path), words), expected)
    assert_same(evaluate(potential(model, tmp_path, "portable"), words), expected)


@pytest.mark.parametrize("kernel", kernel_names())
@pytest.mark.parametrize("kind", ["letter", "gated", "eight types, gated"])
def test_every_kernel(kind: str, kernel: str, tmp_path: Path) -> None:
    model = random_model(11, **MODELS[kind])
    words = words_of(random_atoms(70, 4, model.n_types), model.n_types)
    assert_same(evaluate(potential(model, tmp_path, kernel), words), evaluate_frame(model, words))


@pytest.mark.parametrize("system", ["crystal", "liquid", "hot-liquid", "compressed"])
def test_dft_frames(system: str, tmp_path: Path) -> None:
    folder = DATA / system
    positions = np.load(folder / "set.000" / "coord.npy")[0].reshape(-1, 3)
    cell = np.load(folder / "set.000" / "box.npy")[0].reshape(3, 3)
    types = np.loadtxt(folder / "type.raw", dtype=int)
    model = random_model(5)
    expected = evaluate_frame(model, pack_frame(model, positions, cell, types))
    run = potential(model, tmp_path, threads=2)
    assert_same(run.compute(positions, cell, types, atom_virials=True, raw=True).raw, expected)  # type: ignore[arg-type]
    assert not expected.force.sum(axis=0).any()


@pytest.mark.parametrize("edge_A", [2.9, 3.3, 5.0])
@pytest.mark.parametrize("periodic", [True, False])
def test_small_skewed_cells(edge_A: float, periodic: bool, tmp_path: Path) -> None:
    """Cells that are smaller than the cutoff see several images of each atom, also of the center itself."""
    cell = edge_A * np.array([[1, 0, 0], [0.2, 1, 0], [-0.3, 0.4, 1.1]])
    positions = (np.array([[0, 0, 0], [0.52, 0.47, 0.5]]) @ cell)[: 1 if edge_A < 3 else 2]
    types = np.array([0, 1])[: len(positions)]
    model = random_model(2, **SMALL) if edge_A > 3 else replace(random_model(2, **SMALL), max_neighbors=128)
    words = pack_frame(model, positions, cell, types, periodic)
    found = potential(model, tmp_path).compute(positions, cell, types, periodic, atom_virials=True, raw=True)
    assert_same(found.raw, evaluate_frame(model, words))  # type: ignore[arg-type]
    assert (len(words.neighbor) > 20) == periodic


def _sharper_tanh(model: IntegerModel) -> IntegerModel:
    """One bit less of range for the activations, with the same slopes, so that skip sums can saturate."""
    f, coef = model.formats, model.tanh_coef.copy()
    coef[:, 0] *= 2
    act = (f.act_frac[0], *(frac + 1 for frac in f.act_frac[1:]))
    return replace(model, tanh_coef=coef, formats=replace(f, act_frac=act, tanh_shift=f.tanh_shift - 1))


def _reformat(model: IntegerModel, **change: Any) -> IntegerModel:
    f = model.formats
    return replace(
        model, formats=replace(f, **{key: value(f) if callable(value) else value for key, value in change.items()})
    )


SATURATING = {
    "R": lambda m: _reformat(m, env_frac=lambda f: f.env_frac + 4),
    "X": lambda m: _reformat(m, x_bits=9),
    "D": lambda m: _reformat(m, d_frac=lambda f: f.d_frac + 5, act_frac=lambda f: (f.d_frac + 5, *f.act_frac[1:])),
    "H": _sharper_tanh,
    "GRAD": lambda m: _reformat(m, grad_frac=lambda f: (*(frac + 4 for frac in f.grad_frac[:-1]), f.grad_frac[-1])),
    "Y": lambda m: _reformat(m, y_frac=lambda f: f.y_frac + 5),
    "A": lambda m: _reformat(m, a_bits=10),
    "B": lambda m: _reformat(m, b_bits=10),
    "V": lambda m: _reformat(m, v_bits=10),
    "P": lambda m: _reformat(m, p_bits=10),
    "F": lambda m: _reformat(m, f_bits=12),
}


@pytest.mark.parametrize("kernel", kernel_names())
@pytest.mark.parametrize("stage", STAGES)
def test_saturation_at_every_stage(stage: str, kernel: str, tmp_path: Path) -> None:
    model = SATURATING[stage](random_model(13, neuron=(128, 128, 128)))
    words = words_of(random_atoms(20, 6))
    expected = evaluate_frame(model, words)
    assert expected.clipped[stage] > 0
    assert_same(evaluate(potential(model, tmp_path, kernel), words), expected)


@pytest.mark.parametrize("kernel", kernel_names())
def test_edges_of_the_range(kernel: str, tmp_path: Path) -> None:
    """r = 0, below the tables, at the last word inside the cutoff, no neighbor, and as many as the model holds."""
    model = random_model(17, **SMALL)
    axis = np.arange(98200, 98304)
    shell = np.stack([axis, np.sqrt(98304.0**2 - axis**2).astype(int), np.zeros_like(axis)], axis=1)
    last = shell[squared_distance(model, shell) == model.u_cut - 1]
    assert len(last)
    start = int(np.sqrt(model.u_min / 2**model.formats.u_frac) * 2**14)
    lone = random_atoms(1, 8, most=0)[0]
    full = random_atoms(200, 9, most=63)
    crowd = np.concatenate([atom.displacement for atom in full])[: model.max_neighbors]
    atoms = [
        replace(lone, displacement=np.array([[0, 0, 0]]), neighbor_type=np.array([1])),
        replace(
            lone,
            displacement=np.array([[start - 1, 0, 0], [0, -start - 1, 0], [0, 0, start]]),
            neighbor_type=np.array([1, 0, 1]),
        ),
        replace(lone, displacement=np.concatenate([last, -last]), neighbor_type=np.arange(2 * len(last)) % 2),
        lone,
        replace(lone, displacement=crowd, neighbor_type=np.arange(len(crowd)) % 2),
    ]
    expected = evaluate_frame(model, words_of(atoms))
    assert expected.too_close >= 2
    assert_same(evaluate(potential(model, tmp_path, kernel), words_of(atoms)), expected)


def test_negative_zero(tmp_path: Path) -> None:
    """A displacement of -0.0 is the word 0, not -1."""
    positions = np.array([[0.0, 0.0, 0.0], [2.5, -0.0, -1e-9]])
    model = random_model(2, **SMALL)
    words = pack_frame(model, positions, np.eye(3), [0, 1], periodic=False)
    assert words.displacement[0].tolist() == [40960, 0, 0]
    found = potential(model, tmp_path).compute(
        positions, np.eye(3), [0, 1], periodic=False, atom_virials=True, raw=True
    )
    assert_same(found.raw, evaluate_frame(model, words))  # type: ignore[arg-type]
    assert not found.forces[:, 1:].any()


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> tuple[IntegerModel, dict[str, Potential]]:
    model = random_model(19, gated=True, **SMALL)
    return model, {name: potential(model, tmp_path_factory.mktemp(name), name) for name in kernel_names()}


WORD = st.integers(-98304, 98304)


@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(WORD, WORD, WORD, st.integers(0, 1)), max_size=40), center=st.integers(0, 1))
def test_any_words(
    pairs: list[tuple[int, int, int, int]], center: int, gated: tuple[IntegerModel, dict[str, Potential]]
) -> None:
    model, runs = gated
    array = np.array(pairs, np.int64).reshape(-1, 4)
    array = array[squared_distance(model, array[:, :3]) < model.u_cut]
    words = words_of([AtomInput(center, array[:, :3], array[:, 3])])
    expected = evaluate_frame(model, words)
    for run in runs.values():
        assert_same(evaluate(run, words), expected)


def test_threads_change_no_bit(tmp_path: Path) -> None:
    model = random_model(23, **SMALL)
    words = words_of(random_atoms(150, 10))
    expected = evaluate_frame(model, words)
    for threads in (1, 2, 7):
        assert_same(evaluate(potential(model, tmp_path, threads=threads), words), expected)
