"""What tests of several commands share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def spring_frames() -> Callable[..., None]:
    """Writes a deepmd/npy folder of so many frames of two atoms with a spring between them, `more` longer."""
    return _write


def _write(folder: Path, count: int, more: float = 0.0) -> None:
    frames = folder / "set.000"
    frames.mkdir(parents=True)
    (folder / "type.raw").write_text("0 1\n")
    (folder / "type_map.raw").write_text("Ge\nTe\n")
    stretch = np.linspace(-0.3, 0.3, count) + more
    coordinates, forces = np.zeros((count, 2, 3)), np.zeros((count, 2, 3))
    coordinates[:, 1, 0] = 2.7 + stretch
    forces[:, 0, 0], forces[:, 1, 0] = 4 * stretch, -4 * stretch
    np.save(frames / "coord.npy", coordinates.reshape(count, 6))
    np.save(frames / "force.npy", forces.reshape(count, 6))
    np.save(frames / "energy.npy", 2 * stretch**2 - 300.0)
    np.save(frames / "box.npy", np.tile(np.eye(3).ravel() * 12.0, (count, 1)))
