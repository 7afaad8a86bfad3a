"""Exploration with an integer model: runs of LAMMPS, what becomes of broken ones, relaxations."""

import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nvnmd.learn.builders import build
from nvnmd.learn.builders.runs import RunPlan
from nvnmd.learn.errors import LearnError
from nvnmd.learn.explore import Explorer
from nvnmd.learn.items import parse_items
from nvnmd.learn.md import end_orphan, md_settings, relax, run_plan, visited
from nvnmd.pcm.runfolder import last_restart
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model

START = {"build": "rocksalt", "composition": "GeTe", "repeats": [2, 2, 2]}
ELEMENTS = ("Ge", "Te")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.nvnmd"
    save_model(random_model(3, m1=8, m2=2, neuron=(8, 8), rcut_A=5.0), path)
    return path


def plan(time_ps: float = 0.02, **changes) -> RunPlan:
    settings = {"temperature_K": 50.0, "time_ps": time_ps, "every_ps": 0.005, "timestep_fs": 0.5, "start": START}
    (found,) = build("hold", 1, 1, **(settings | changes))
    return found


def test_a_run_leaves_its_frames_and_is_not_done_twice(tmp_path: Path, model: Path) -> None:
    outcome = run_plan(plan(), model, ELEMENTS, tmp_path / "run")
    assert outcome == {"status": "complete", "reason": "", "steps": 40, "atoms": 64}
    frames = visited(tmp_path / "run", plan(), ELEMENTS)
    assert [frame.origin for frame in frames] == [{"stage": "hold", "step": step} for step in (10, 20, 30, 40)]
    assert frames[0].atoms.get_chemical_formula() == "Ge32Te32"
    assert not np.array_equal(frames[0].atoms.positions, frames[1].atoms.positions)
    written = (tmp_path / "run/md.json").stat().st_mtime_ns
    assert run_plan(plan(), model, ELEMENTS, tmp_path / "run") == outcome
    assert (tmp_path / "run/md.json").stat().st_mtime_ns == written


def test_a_run_whose_program_was_killed_goes_on(tmp_path: Path, model: Path) -> None:
    """LAMMPS outlives the program; it is asked to end, and the run goes on from where it came to."""
    folder, long = tmp_path / "run", plan(time_ps=20.0, temperature_K=20.0, every_ps=10.0)
    code = (
        "import sys, pickle; from pathlib import Path; from nvnmd.learn.md import run_plan\n"
        "run_plan(pickle.load(open(sys.argv[1], 'rb')), Path(sys.argv[2]), ('Ge', 'Te'), Path(sys.argv[3]))"
    )
    (tmp_path / "plan").write_bytes(pickle.dumps(long))
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "plan", model, folder])
    while not (folder / "restart/a.restart").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    end_orphan(folder)
    end_orphan(folder)
    step = last_restart(folder)[1]
    assert 500 <= step < 40000


def test_a_run_that_breaks_down_is_an_outcome(tmp_path: Path, model: Path) -> None:
    found = plan(time_ps=0.5, temperature_K=300.0)
    hot = RunPlan(found.start, found.settings | {"max_temperature_K": 10.0})
    outcome = run_plan(hot, model, ELEMENTS, tmp_path / "run")
    assert outcome["status"] == "failed"
    assert "the temperature left the range below 10 K" in outcome["reason"]
    assert str(tmp_path) not in outcome["reason"]
    assert visited(tmp_path / "run", hot, ELEMENTS) == visited(tmp_path / "run", hot, ELEMENTS)


def test_layers_of_a_crystallization_stand_still_at_first(tmp_path: Path) -> None:
    (found,) = build("crystallize", 1, 1, start=START, layer_A=4.0)
    settings = md_settings(found, ELEMENTS, tmp_path)
    assert [stage.frozen for stage in settings.stages] == [("layers",), ("layers",), ()]
    assert settings.type_elements() == ELEMENTS
    assert (settings.stages[2].temperature_K, settings.thermostat.style) == (600.0, "langevin")


def test_settings_that_make_no_run_name_the_key(tmp_path: Path) -> None:
    with pytest.raises(LearnError, match="timestep_fs"):
        md_settings(plan(timestep_fs=50.0), ELEMENTS, tmp_path)


def test_relaxation_goes_downhill(model: Path) -> None:
    from nvnmd.host import NvnmdCalculator

    (atoms,) = build("rocksalt", 1, 1, composition="GeTe", repeats=[2, 2, 2], edge_A=4.2, displace_A=0.05)
    frames = relax(atoms, model, steps=12, keep=3, start_limit=1e4)
    assert frames[0].origin["step"] == 0
    assert len(frames) == 3
    calculator = NvnmdCalculator(model, threads=1)
    energies = []
    for frame in frames:
        frame.atoms.calc = calculator
        energies.append(frame.atoms.get_potential_energy())
    assert energies[-1] < energies[0]
    assert relax(atoms, model, start_limit=1e-9) == []


def test_a_structure_that_the_model_cannot_hold_is_left_out(model: Path) -> None:
    (atoms,) = build("rocksalt", 1, 1, composition="GeTe", repeats=[1, 1, 1])
    atoms.positions[1] = atoms.positions[0] + [0.3, 0, 0]
    assert relax(atoms, model) == []


def test_an_explorer_gives_structures_runs_and_relaxations(tmp_path: Path, model: Path) -> None:
    hold = {
        "build": "hold",
        "time_ps": 0.01,
        "every_ps": 0.005,
        "timestep_fs": 0.5,
        "temperature_K": 50,
        "start": START,
    }
    items = parse_items([{"build": "random", "composition": "GeTe", "count": 2, "atoms": 4}, hold | {"count": 2}])
    explorer = Explorer(items, model, ELEMENTS, tmp_path, 1)
    assert [(o["item"], o["run"], o["status"]) for o in explorer.run()] == [
        ("hold", 1, "complete"),
        ("hold", 2, "complete"),
    ]
    assert [frame.origin["run"] for frame in explorer.frames(items[0])] == [1, 2]
    assert [(f.origin["run"], f.origin["step"]) for f in explorer.frames(items[1])] == [
        (1, 10),
        (1, 20),
        (2, 10),
        (2, 20),
    ]
