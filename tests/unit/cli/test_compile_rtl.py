"""`nvnmd compile --target rtl`: a rate in, lanes and cost out, before anything is built."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from nvnmd.cli import app
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.nvnmd"
    save_model(random_model(3, neuron=(64, 64)), path)
    return path


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["compile", *map(str, arguments), "--target", "rtl"])
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.output


def test_fewer_cycles_cost_more_multipliers(model: Path) -> None:
    slow, fast = run(model, "--ii", 60), run(model, "--ii", 16)
    assert "model.nvnmd: 3 fitting lanes, 1 neighbor lanes" in slow
    assert "model.nvnmd: 8 fitting lanes, 2 neighbor lanes" in fast
    costs = [int(text.split("multipliers  ")[1].split("(")[0].replace(",", "")) for text in (slow, fast)]
    assert costs[0] < costs[1]
    assert "estimate" in fast


def test_named_configurations_and_what_vivado_needs(tmp_path: Path) -> None:
    text = run("letter", "--output", tmp_path / "card", "--board", "vcu1525")
    assert "the letter 3,253" in text
    assert "nobody has run it yet" in text
    assert "vcu1525.board" in text
    assert "NET_LANES 3\n" in (tmp_path / "card" / "parameters.txt").read_text()
    assert "letter" in run("letter", "--output", tmp_path / "card", "--overwrite")


def test_a_rate_out_of_reach(model: Path) -> None:
    done = CliRunner().invoke(app, ["compile", str(model), "--target", "rtl", "--ii", "4"])
    assert done.exit_code != 0
    assert "no number of neighbor_lanes" in str(done.exception)
