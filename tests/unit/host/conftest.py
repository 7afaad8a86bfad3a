"""A model file and a frame for the tests of the runtime."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random model of Ge and Te with a cutoff of 6 angstrom."""
    path = tmp_path_factory.mktemp("model") / "small.nvnmd"
    save_model(random_model(29, neuron=(32, 32)), path)
    return path


@pytest.fixture
def positions() -> NDArray[np.float64]:
    """Eight shaken atoms of a rocksalt block, for a cubic cell of 6 angstrom; types alternate."""
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return 3.0 * grid + np.random.default_rng(1).uniform(-0.2, 0.2, (8, 3))


@pytest.fixture
def cluster(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same atoms squeezed to 2.1 angstrom, so that the guard makes forces far above rounding."""
    return 0.7 * positions


@pytest.fixture
def types() -> NDArray[np.int64]:
    """Types of ``positions``."""
    return np.array([0, 1, 1, 0, 1, 0, 0, 1])


@pytest.fixture
def fake_card(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Starts fake cards for models, with command-line options; returns the prefix of the sockets."""
    running: list[subprocess.Popen[str]] = []

    def start(*models: Path, **options: object) -> Path:
        device = tmp_path / "card"
        command = [sys.executable, "-m", "nvnmd.host.fake_card", *map(str, models), "--device", str(device)]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout is not None
        assert "serving" in running[-1].stdout.readline()
        return device

    yield start
    for process in running:
        process.kill()
        process.wait()
