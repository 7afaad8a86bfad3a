"""Active sets: the volume they span, the grades they give, the files they are kept in."""

import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from numpy.typing import NDArray

import nvnmd.host as host
from nvnmd.host.maxvol import max_volume
from nvnmd.quantize import CompileOptions
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.reference import evaluate_atom
from nvnmd.quantize.testing import random_model

Floats = NDArray[np.float64]
Frame = tuple[Floats, Floats, NDArray[np.int64]]
CELL = 6.0 * np.eye(3)


def volume_of(rows: Floats, size: int, tolerance: float = 1e-9) -> Any:
    return max_volume(lambda a, b: rows[a:b], len(rows), 1e-9 * np.eye(size), tolerance)


@pytest.mark.parametrize("seed", range(6))
def test_no_exchange_of_a_row_makes_the_volume_larger(seed: int) -> None:
    rows, size = np.random.default_rng(seed).normal(size=(14, 4)), 4
    found = volume_of(rows, size)
    assert set(found.chosen.tolist()) <= set(range(14))
    np.testing.assert_array_equal(found.matrix, rows[found.chosen])
    volume = abs(np.linalg.det(found.matrix))
    for place, row in itertools.product(range(size), range(14)):
        other = found.matrix.copy()
        other[place] = rows[row]
        assert abs(np.linalg.det(other)) <= volume * (1 + 1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_the_volume_is_near_the_largest_of_all_choices(seed: int) -> None:
    """A local maximum is within n^(n/2) of the largest (Goreinov & Tyrtyshnikov 2001), and mostly is it."""
    rows = np.random.default_rng(10 + seed).normal(size=(11, 3))
    largest = max(abs(np.linalg.det(rows[list(some)])) for some in itertools.combinations(range(11), 3))
    volume = abs(np.linalg.det(volume_of(rows, 3).matrix))
    assert largest / 3**1.5 <= volume <= largest * (1 + 1e-12)
    assert volume >= 0.5 * largest


def test_a_grade_is_the_growth_of_the_volume() -> None:
    """Cramer's rule: component k is the determinant with row k replaced, over the one without."""
    rows = np.random.default_rng(3).normal(size=(20, 5))
    found, new = volume_of(rows, 5), np.array([3.0, -1.0, 2.0, 0.5, -4.0])
    for place, component in enumerate(new @ found.inverse):
        other = found.matrix.copy()
        other[place] = new
        assert component == pytest.approx(np.linalg.det(other) / np.linalg.det(found.matrix), rel=1e-9)


def test_blocks_change_nothing_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(4).normal(size=(200, 6))
    monkeypatch.setattr("nvnmd.host.maxvol.BLOCK", 7)
    assert np.abs(rows @ volume_of(rows, 6, 0.01).inverse).max() <= 1.01 + 1e-9


def test_directions_without_rows_keep_those_of_the_start() -> None:
    rows = np.random.default_rng(5).normal(size=(30, 2)) @ np.array([[10.0, 0, 5], [0, 10, 5]])
    found = max_volume(lambda a, b: rows[a:b], 30, np.eye(3), 0.01)
    assert sorted(found.chosen >= 0) == [False, True, True]


@pytest.fixture
def frames(positions: Floats, types: NDArray[np.int64]) -> list[Frame]:
    """Twelve frames of the shaken block."""
    rng = np.random.default_rng(8)
    return [(positions + rng.normal(0, 0.08, positions.shape), CELL, types) for _ in range(12)]


@pytest.fixture
def model(tmp_path: Path, model_path: Path) -> Path:
    """The model in a folder of its own, as an active set stands beside it."""
    return Path(shutil.copy(model_path, tmp_path))


@pytest.fixture
def chosen(model: Path, frames: list[Frame]) -> host.ActiveSet:
    """The active set of the frames, beside the model."""
    active_set = host.build_active_set(model, frames, threads=1)
    active_set.save(host.active_set_path(model))
    return active_set


def test_activations_are_those_of_the_reference(model: Path, frames: list[Frame]) -> None:
    integer, (positions, cell, types) = load_model(model), frames[0]
    result = host.Potential(model, threads=1).compute(positions, cell, types, hidden=True)
    assert result.hidden is not None
    assert result.hidden.dtype == np.int16
    for atom, words in enumerate(pack_frame(integer, positions, cell, types).atoms()):
        np.testing.assert_array_equal(result.hidden[atom], evaluate_atom(integer, words).trace["h2"])


@pytest.mark.parametrize("kernel", host.kernel_names())
def test_kernels_agree(model: Path, chosen: host.ActiveSet, frames: list[Frame], kernel: str) -> None:
    one = host.Potential(model, "portable", 1).compute(*frames[1], gamma=True, hidden=True)
    two = host.Potential(model, kernel, 2).compute(*frames[1], gamma=True, hidden=True)
    np.testing.assert_array_equal(one.hidden, two.hidden)
    np.testing.assert_array_equal(one.gamma, two.gamma)
    np.testing.assert_array_equal(one.forces, two.forces)


@pytest.fixture(scope="module")
def narrow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose formats have no headroom, so that words are clipped."""
    path = tmp_path_factory.mktemp("narrow") / "narrow.nvnmd"
    save_model(random_model(29, CompileOptions(headroom=0.3), neuron=(32, 32)), path)
    return path


@pytest.mark.parametrize("kernel", host.kernel_names())
def test_kernels_agree_where_words_are_clipped(narrow_model: Path, frames: list[Frame], kernel: str) -> None:
    one = host.Potential(narrow_model, "portable", 1).compute(*frames[1], hidden=True)
    two = host.Potential(narrow_model, kernel, 1).compute(*frames[1], hidden=True)
    assert sum(one.clipped.values()) > 0
    np.testing.assert_array_equal(one.hidden, two.hidden)


def test_grades_are_one_on_the_active_set_and_at_most_one_on_its_frames(
    model: Path, chosen: host.ActiveSet, frames: list[Frame]
) -> None:
    assert all(0 < count <= 33 for count in chosen.active.values())
    grades = [r.gamma for r in host.evaluate_many(model, frames, 1, gamma=True)]
    assert max(g.max() for g in grades if g is not None) <= 1.01 + 1e-9
    for origin in chosen.origin:
        for frame, atom in origin[origin[:, 0] >= 0]:
            assert grades[frame] is not None
            assert grades[frame][atom] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("scale", [0.85, 1.3])
def test_grades_are_large_on_squeezed_and_stretched_frames(
    model: Path, chosen: host.ActiveSet, frames: list[Frame], scale: float
) -> None:
    positions, cell, types = frames[2]
    assert host.Potential(model).compute(scale * positions, scale * cell, types, gamma=True).gamma.min() > 1.5


def test_python_and_the_runtime_give_the_same_grades(model: Path, chosen: host.ActiveSet, frames: list[Frame]) -> None:
    positions, cell, types = frames[3]
    result = host.Potential(model).compute(1.1 * positions, 1.1 * cell, types, gamma=True, hidden=True)
    read = host.ActiveSet.load(host.active_set_path(model))
    assert result.hidden is not None
    for kind in (0, 1):
        atoms = types == kind
        np.testing.assert_allclose(read.grades(kind, result.hidden[atoms]), result.gamma[atoms], rtol=1e-9)


def test_an_element_that_no_frame_has_is_far_outside(model: Path, frames: list[Frame]) -> None:
    germanium = [(p, cell, np.zeros(8, int)) for p, cell, _ in frames]
    active_set = host.build_active_set(model, germanium, threads=1)
    active_set.save(host.active_set_path(model))
    assert active_set.active["Te"] == 0
    gamma = host.Potential(model).compute(*frames[0], gamma=True).gamma
    assert gamma[frames[0][2] == 1].min() > 100


def test_extending_names_the_frames_that_bring_something(
    model: Path, chosen: host.ActiveSet, frames: list[Frame]
) -> None:
    positions, cell, types = frames[4]
    more = [frames[5], (0.9 * positions, 0.9 * cell, types)]
    wider = host.build_active_set(model, more, start=chosen, threads=1)
    assert wider.frames() == [1]
    assert host.build_active_set(model, more, start=wider, threads=1).frames() == []
    assert any((origin[:, 0] == -1).any() for origin in wider.origin)


def test_the_calculator_adds_grades(model: Path, chosen: host.ActiveSet, frames: list[Frame]) -> None:
    positions, cell, types = frames[6]
    atoms = Atoms([("Ge", "Te")[t] for t in types], positions, cell=cell, pbc=True)
    atoms.calc = host.NvnmdCalculator(model, threads=1, gamma=True)
    atoms.get_forces()
    expected = host.Potential(model).compute(positions, cell, types, gamma=True).gamma
    np.testing.assert_array_equal(atoms.calc.results["gamma"], expected)
    atoms.calc = host.NvnmdCalculator(model, threads=1)
    atoms.get_forces()
    assert "gamma" not in atoms.calc.results


def test_beside_a_card_the_cpu_gives_the_grades(
    model: Path, chosen: host.ActiveSet, frames: list[Frame], fake_card: Callable[..., Path]
) -> None:
    card = host.CardOptions(str(fake_card(model)))
    found = host.Potential(model, card=card).compute(*frames[7], gamma=True, hidden=True)
    expected = host.Potential(model).compute(*frames[7], gamma=True, hidden=True)
    np.testing.assert_array_equal(found.gamma, expected.gamma)
    np.testing.assert_array_equal(found.hidden, expected.hidden)
    np.testing.assert_array_equal(found.forces, expected.forces)


Change = Callable[[host.ActiveSet], host.ActiveSet]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda a: replace(a, model_sha256="0" * 64), "belongs to another model than"),
        (lambda a: replace(a, type_map=("Te", "Ge")), "it is for the elements Te Ge, the model .* has Ge Te"),
        (lambda a: replace(a, inverse=(a.inverse[0][:5, :5], a.inverse[1])), "tensor inverse.0 must hold 33 x 33"),
        (
            lambda a: replace(a, inverse=(a.inverse[0], a.inverse[1] * np.nan)),
            "inverse.1 has a number that is not finite",
        ),
    ],
)
def test_an_active_set_of_something_else_is_refused(
    model: Path, chosen: host.ActiveSet, frames: list[Frame], change: Change, sentence: str
) -> None:
    change(chosen).save(host.active_set_path(model))
    with pytest.raises(host.Error, match=sentence) as caught:
        host.Potential(model).compute(*frames[0], gamma=True)
    assert caught.value.code == "active_set"


def test_missing_and_damaged_files_are_refused(model: Path, chosen: host.ActiveSet, frames: list[Frame]) -> None:
    path = host.active_set_path(model)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(host.Error, match="damaged"):
        host.Potential(model).compute(*frames[0], gamma=True)
    with pytest.raises(host.Error, match="not an active set, or damaged"):
        host.ActiveSet.load(path)
    with pytest.raises(host.Error, match="a safetensors file, but not an active set"):
        host.Potential(model, active_set=model).compute(*frames[0], gamma=True)
    path.unlink()
    potential = host.Potential(model)
    with pytest.raises(host.Error, match=r"no such active set; 'nvnmd gamma .*small\.nvnmd --data FRAMES' writes one"):
        potential.compute(*frames[0], gamma=True)
    chosen.save(path)
    assert potential.compute(*frames[0], gamma=True).gamma is not None


def test_what_cannot_be_built_is_refused(model: Path, chosen: host.ActiveSet, frames: list[Frame]) -> None:
    with pytest.raises(host.Error, match="needs at least one frame"):
        host.build_active_set(model, [])
    with pytest.raises(host.Error, match=r"frame 1: .* A apart"):
        host.build_active_set(model, [frames[0], (0.2 * frames[0][0], CELL, frames[0][2])], threads=1)
    with pytest.raises(host.Error, match="belongs to another model"):
        host.build_active_set(model, frames, start=replace(chosen, model_sha256="0" * 64))
