"""Waveforms of the card's RTL, as `nvnmd simulate --waves` writes them."""

import json
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
from card_cases import answer, loaded
from typer.testing import CliRunner
from waves import signals

from nvnmd.cli import app
from nvnmd.fpga.configuration import configuration_for
from nvnmd.fpga.load import encode_load
from nvnmd.fpga.waveforms import record
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_atoms, random_model

pytestmark = pytest.mark.hw
MODEL = random_model(3, m1=4, m2=2, neuron=(8, 8))


def test_the_atoms_are_those_of_the_model(tmp_path: Path) -> None:
    """Answers have the reference's bytes, and the waveforms begin where they are told to."""
    card, atoms = configuration_for(MODEL, fitting_lanes=2, neighbor_lanes=2), random_atoms(3, most=20)
    load = encode_load(MODEL, card)
    wanted = [*loaded(load), *(answer(MODEL, atom, len(load) + 1 + n) for n, atom in enumerate(atoms))]
    seen: list[object] = []

    def predict(kinds: list[tuple[int, int]], neighbors: list[int]) -> tuple[int, int]:
        seen.extend([len(kinds), neighbors])
        return 2000, sum(map(len, wanted)) // 64

    run = record(tmp_path / "waves.vcd", MODEL, card, atoms, predict)
    assert b"".join(beat["m_data"].to_bytes(64, "little") for beat in run.beats) == b"".join(wanted)
    assert seen == [len(load), [len(atom.neighbor_type) for atom in atoms]]
    text = (tmp_path / "waves.vcd").read_text()
    assert int(text.split("\n#", 1)[1].split()[0]) == 10 * 2000
    assert signals(tmp_path / "waves.vcd", ["m_valid"])["m_valid"].any()


def test_the_command_writes_them(tmp_path: Path) -> None:
    save_model(MODEL, tmp_path / "model.nvnmd")
    positions = 3.0 * np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3)
    ase.io.write(tmp_path / "gete.extxyz", ase.Atoms("GeTe" * 32, positions, cell=[12.0] * 3, pbc=True))
    files = [str(tmp_path / "model.nvnmd"), str(tmp_path / "gete.extxyz")]
    done = CliRunner().invoke(app, ["simulate", *files, "-o", str(tmp_path), "--waves", "4", "--cycles", "8", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "report.json").read_text())["configuration"] == "model"
    done_atoms = signals(tmp_path / "waves.vcd", ["i_core.atom_done"])["i_core.atom_done"]
    assert done_atoms.sum() == 4
