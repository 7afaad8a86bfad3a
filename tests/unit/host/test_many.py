"""Many frames over threads: the results of one at a time, in order, and errors that name the frame."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from numpy.typing import NDArray

from nvnmd.host import Error, Potential, evaluate_many

CELL = 6.0 * np.eye(3)


@pytest.fixture
def frames(positions: NDArray[np.float64], types: NDArray[np.int64]) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(2)
    return [(positions + rng.uniform(-0.1, 0.1, positions.shape), CELL, types) for _ in range(23)]


@pytest.mark.parametrize("threads", [1, 3, None])
def test_results_are_those_of_one_at_a_time(model_path: Path, frames: list[Any], threads: int | None) -> None:
    potential = Potential(model_path, threads=1)
    found = list(evaluate_many(model_path, iter(frames), threads, raw=True))
    assert len(found) == len(frames)
    for frame, result in zip(frames, found, strict=True):
        expected = potential.compute(*frame, raw=True)
        assert result.energy == expected.energy
        assert result.raw is not None
        assert expected.raw is not None
        np.testing.assert_array_equal(result.raw.force, expected.raw.force)
        np.testing.assert_array_equal(result.raw.virial, expected.raw.virial)


def test_atoms_and_open_boundaries_are_frames(model_path: Path, frames: list[Any]) -> None:
    positions, cell, types = frames[0]
    atoms = Atoms(np.array(["Ge", "Te"])[types], positions, cell=cell, pbc=[True, False, True])
    both = list(evaluate_many(model_path, [atoms, (positions, cell, types, [True, False, True])], virial=False))
    assert both[0].energy == both[1].energy
    assert both[0].virial is None


def test_frames_are_read_as_they_are_needed(model_path: Path, frames: list[Any]) -> None:
    read = []

    def endless() -> Any:
        while True:
            read.append(len(read))
            yield frames[0]

    results = evaluate_many(model_path, endless(), threads=2)
    first = next(results)
    assert first.energy == next(results).energy
    assert len(read) <= 10
    results.close()  # type: ignore[attr-defined]


def test_an_error_names_its_frame(model_path: Path, frames: list[Any]) -> None:
    frames[5][0][0] = frames[5][0][1] + 0.1
    results = evaluate_many(model_path, frames, threads=2)
    for _ in range(5):
        next(results)
    with pytest.raises(Error, match=r"frame 5: atoms \d and \d are .* A apart") as error:
        next(results)
    assert (error.value.code, error.value.frame) == ("too_close", 5)
