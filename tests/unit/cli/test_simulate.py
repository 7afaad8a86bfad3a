"""nvnmd simulate, from a model file and a structure."""

import json
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
from typer.testing import CliRunner

from nvnmd.cli import app
from nvnmd.fpga.errors import FpgaError
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model

RUN = CliRunner()


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    save_model(random_model(1, neuron=(64, 64)), tmp_path / "model.nvnmd")
    grid = np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), -1).reshape(-1, 3)
    positions = 3.0 * grid + np.random.default_rng(0).normal(0, 0.1, grid.shape)
    symbols = np.array(["Ge", "Te"])[grid.sum(1) % 2].tolist()
    ase.io.write(tmp_path / "gete.extxyz", ase.Atoms(symbols, positions, cell=[18.0] * 3, pbc=True))
    return str(tmp_path / "model.nvnmd"), str(tmp_path / "gete.extxyz")


def test_a_report_beside_the_published_figures(files: tuple[str, str], tmp_path: Path) -> None:
    done = RUN.invoke(app, ["simulate", *files, "--output", str(tmp_path / "out"), "--repeat", "1", "1", "2"])
    assert done.exit_code == 0, done.output
    assert "fast, simulated" in done.output
    assert "2.8e-07" in done.output
    assert "432 atoms" in done.output
    assert "an estimate, not a measurement" in done.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["configuration"] == "fast"
    assert report["clock_mhz"] == 250
    assert report["cycles_per_atom_card_alone"] >= 15
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.json", "stalls.png", "timeline.json"}
    assert (tmp_path / "out" / "stalls.png").read_bytes().startswith(b"\x89PNG")


def test_lanes_for_a_model(files: tuple[str, str]) -> None:
    slow, quick = (
        json.loads(
            RUN.invoke(app, ["simulate", *files, "--configuration", "model", "--cycles", cycles, "--json"]).stdout
        )
        for cycles in ("40", "20")
    )
    assert quick["cycles_per_atom_card_alone"] < slow["cycles_per_atom_card_alone"] < 50
    assert quick["seconds_per_step_per_atom"] < slow["seconds_per_step_per_atom"]


def test_a_card_that_does_not_hold_the_model(files: tuple[str, str]) -> None:
    done = RUN.invoke(app, ["simulate", *files, "--configuration", "letter"])
    assert isinstance(done.exception, FpgaError)
    assert str(done.exception) == "the card is built for layers = 3, the model has 2"
    with pytest.raises(FpgaError, match="there is no configuration 'quick'; try letter or fast"):
        RUN.invoke(app, ["simulate", *files, "--configuration", "quick"], catch_exceptions=False)
