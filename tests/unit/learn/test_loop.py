"""The loop on a teacher of no cost and networks of no size: every step once, whatever stops it when."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from toys import MORSE

from nvnmd.cli import app
from nvnmd.learn.errors import LearnError
from nvnmd.learn.labeled import read_provenance
from nvnmd.learn.loop import Loop
from nvnmd.learn.queue import Counts, Queue
from nvnmd.learn.settings import LearnSettings, read_learn_settings
from nvnmd.learn.worker import work
from nvnmd.training.frames import load_systems

NETWORK = {
    "descriptor": {
        "type": "se_e2_a",
        "rcut": 4.5,
        "rcut_smth": 2.0,
        "sel": [16, 16],
        "neuron": [4, 8],
        "axis_neuron": 2,
    }
}
SETTINGS = {
    "elements": ["Ge", "Te"],
    "rounds": 2,
    "train": {
        "settings": {
            "model": NETWORK | {"fitting_net": {"neuron": [8, 8]}},
            "training": {"training_data": {"batch_size": 2}, "numb_steps": 30, "disp_freq": 10, "save_freq": 10},
        },
        "again": {"numb_steps": 20, "start_lr": 5e-4},
    },
    "committee": 2,
    "quantize": {"steps": 0},
    "start": [{"build": "rocksalt", "composition": "GeTe", "repeats": [1, 1, 1], "count": 4, "displace_A": 0.1}],
    "explore": [
        {"build": "random", "composition": "GeTe", "atoms": [4, 8], "count": 6},
        {"build": "rss", "composition": "GeTe", "atoms": 6, "count": 1, "select": 2},
        {
            "build": "random",
            "name": "held-out",
            "composition": "GeTe",
            "atoms": 6,
            "count": 3,
            "test": True,
            "select": 2,
        },
    ],
    "select": {"low": 1e-6, "high": 1e3, "most": 3},
    "label": {"using": "ase.calculators.morse:MorsePotential", "name": "morse", "options": MORSE},
}


def here(arguments: list[str], folder: Path) -> None:
    """A command of nvnmd in this process: starting one costs more than the work."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        code = app(list(arguments), prog_name="nvnmd", standalone_mode=False)
    finally:
        os.chdir(before)
    assert code in (0, None)


def label_here(queue: Queue) -> Counts:
    work(queue)
    return queue.counts()


def make_loop(folder: Path, **changes) -> Loop:
    folder.mkdir(exist_ok=True)
    settings = LearnSettings.model_validate(SETTINGS | changes)
    return Loop(settings, folder, folder, command=lambda a: here(a, folder), label=label_here)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run of two rounds, not to be changed."""
    folder = tmp_path_factory.mktemp("loop") / "run"
    make_loop(folder).run()
    return folder


def test_structures_of_files_are_found_beside_the_settings(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "known").mkdir()
    there = {"build": "file", "path": "known"}
    explore = [{"build": "hold", "start": there}, {"build": "random", "composition": "GeTe"}]
    placed = make_loop(folder, start=[there], explore=explore).settings
    assert placed.start[0]["path"] == placed.explore[0]["start"]["path"] == str((folder / "known").resolve())
    assert placed.explore[1] == explore[1]


def test_rounds_add_what_was_chosen_and_the_record_tells_all(finished: Path) -> None:
    record = json.loads((finished / "learn.json").read_text())
    assert record["status"] == "complete"
    first, second, final = record["rounds"]
    assert first["train-1"]["frames"] == 4
    assert 1 <= first["merge"]["train"] <= 5
    assert first["merge"]["test"] == 2
    assert second["train-1"]["frames"] == 4 + first["merge"]["train"]
    assert final["train-1"]["frames"] == second["train-1"]["frames"] + second["merge"]["train"]
    assert first["select"]["chosen"] == first["merge"]["train"]
    for done in (first, second):
        for part in ("new", "test"):
            assert done["judge"][part]["float"]["force_rmse"] > 0
            assert done["judge"][part]["integer"]["force_rmse"] > 0
    table = record["errors"]
    assert table["models"] == ["round-01", "round-02", "final"]
    assert table["frames"] == ["round-01 train", "round-01 test", "round-02 train", "round-02 test"]
    seen = [[value is None for value in row] for row in table["force_rmse"]]
    assert seen == [[False] * 4, [True, False, False, False], [True, False, True, False]]
    assert table["force_rmse"][0][1] == pytest.approx(first["judge"]["test"]["float"]["force_rmse"])


def test_labels_keep_their_mark_and_where_they_come_from(finished: Path) -> None:
    systems = load_systems(finished / "data", ["Ge", "Te"])
    assert {system.label for system in systems} == {"teacher:morse"}
    (folder,) = (finished / "data/round-00/train").iterdir()
    assert {entry["item"] for entry in read_provenance(folder)} == {"rocksalt"}
    entries = [e for path in (finished / "data/round-01/train").iterdir() for e in read_provenance(path)]
    assert {entry["item"] for entry in entries} <= {"random", "rss"}
    assert all(entry["score"] > 0 and entry["teacher"] and entry["round"] == 1 for entry in entries)


def test_whatever_stops_it_the_loop_goes_on_to_the_same_end(tmp_path: Path, monkeypatch) -> None:
    whole = make_loop(tmp_path / "whole", rounds=1).run()
    calls = {"command": 0, "label": 0}
    limit = {"command": 0, "label": 0}

    def counted(name, function):
        def call(*arguments):
            calls[name] += 1
            if calls[name] == limit[name]:
                raise Killed
            return function(*arguments)

        return call

    folder = tmp_path / "halves"
    for stop in ({"label": 1}, {"command": 2}, {"command": 2}, {"label": 1}, {"command": 1}, {"command": 2}):
        calls.update(command=0, label=0)
        limit.update({"command": 0, "label": 0} | stop)
        loop = make_loop(folder, rounds=1)
        loop.command, loop.label = counted("command", loop.command), counted("label", loop.label)
        with pytest.raises(Killed):
            loop.run()
    halves = make_loop(folder, rounds=1).run()
    assert halves["errors"] == whole["errors"]
    assert [r.get("select") for r in halves["rounds"]] == [r.get("select") for r in whole["rounds"]]
    finished = json.loads((folder / "learn.json").read_text())
    monkeypatch.setattr(Loop, "inputs", None)  # a finished run does nothing again
    again = make_loop(folder, rounds=1)
    again.command = None  # type: ignore[assignment]
    assert again.run() == finished


def test_other_settings_in_the_same_folder_are_refused(tmp_path: Path) -> None:
    make_loop(tmp_path / "run")
    make_loop(tmp_path / "run", rounds=5, label=SETTINGS["label"] | {"workers": 2})
    with pytest.raises(LearnError, match=r"holds a run with other settings \(seed differs\)"):
        make_loop(tmp_path / "run", seed=2)


def test_two_loops_do_not_share_a_folder(tmp_path: Path) -> None:
    loop = make_loop(tmp_path / "run")
    with (tmp_path / "run/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LearnError, match="another nvnmd learn is at work here"):
            loop.run()


def test_labels_of_a_teacher_and_of_dft_are_not_mixed_unless_asked(tmp_path: Path) -> None:
    make_loop(tmp_path / "first", rounds=1)._begin()
    data = [str(tmp_path / "first/data/round-00/train")]
    with pytest.raises(LearnError, match=r"data hold labels of teacher:morse and new ones are dft: .*set mix_labels"):
        make_loop(
            tmp_path / "second", data=data, start=[], label=SETTINGS["label"] | {"dft": True, "name": None}
        )._begin()
    label = SETTINGS["label"] | {"dft": True, "name": None}
    make_loop(tmp_path / "third", data=data, start=[], label=label, mix_labels=True)._begin()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"elements": ["Ge", "Xx"]}, "'Xx' is not the symbol"),
        ({"committee": 1}, "needs committee: 2 or more"),
        ({"start": []}, "nothing to begin with"),
        ({"recipe": {"name": "gst-gap-22"}}, "either start and explore, or a recipe"),
        ({"select": {"low": 2.0, "high": 1.0}}, r"low \(2\) must be below high \(1\)"),
        ({"explore": [{"build": "meltquench", "start": {}}]}, "did you mean 'melt-quench'"),
        ({"round": 3}, "did you mean 'rounds'"),
    ],
)
def test_bad_settings_name_the_key(tmp_path: Path, change: dict, said: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(SETTINGS | change))
    with pytest.raises(LearnError, match=said):
        read_learn_settings(path)


def test_bad_settings_of_training_are_told_before_anything_runs(tmp_path: Path) -> None:
    train = {"settings": {"model": {"descriptor": {"rcutt": 5.0}}}}
    with pytest.raises(LearnError, match=r"train\.settings: .*did you mean 'rcut'"):
        make_loop(tmp_path / "run", train=train)


def test_a_recipe_fills_the_rounds() -> None:
    settings = {key: value for key, value in SETTINGS.items() if key not in ("start", "explore")}
    parsed = LearnSettings.model_validate(settings | {"recipe": {"name": "gst-ace-24", "scale": 0.01}})
    assert "free-atoms" in [item.name for item in parsed.items(0)]
    assert [item.build for item in parsed.items(1)] == ["melt-quench", "crystallize", "heat", "random"]
    assert [item.build for item in parsed.items(9)] == ["rss"]


def test_the_round_by_extrapolation_grade(tmp_path: Path) -> None:
    select = {"by": "gamma", "low": 1e-3, "high": 1e6, "most": 3}
    record = make_loop(tmp_path / "run", rounds=1, committee=1, select=select).run()
    found = record["rounds"][0]["select"]
    assert found["measure"] == "extrapolation grade"
    assert found["max"] > 0
    assert record["rounds"][0]["merge"]["train"] == found["chosen"] > 0


def test_the_report_is_one_page_with_every_round(finished: Path, tmp_path: Path) -> None:
    from nvnmd.report.learn import write_learn_report

    page = write_learn_report(finished, tmp_path / "report.html").read_text()
    assert page.count("<svg") == 2
    for text in ("force deviation", "round-02 test", "teacher:morse", "made by the potential morse, not by DFT"):
        assert text in page
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_the_command_goes_on_after_kill_9(tmp_path: Path) -> None:
    """With molecular dynamics in LAMMPS; killed every few seconds until it gets to the end."""
    start = {"build": "rocksalt", "composition": "GeTe", "repeats": [1, 1, 1]}
    run = {"build": "hold", "time_ps": 0.2, "every_ps": 0.02, "start": start}
    explore = [run, run | {"name": "held-out", "test": True, "select": 2}]
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(SETTINGS | {"rounds": 1, "explore": explore}))
    command = [sys.executable, "-m", "nvnmd", "learn", "settings.yaml", "-o", "run"]
    kills = 0
    for patience in (4, 8, 12, 20, 40, 600):
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
        end = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        if process.poll() is not None:
            assert process.returncode == 0
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    record = json.loads((tmp_path / "run/learn.json").read_text())
    assert record["status"] == "complete"
    assert [found["status"] for found in record["rounds"][0]["explore"]] == ["complete", "complete"]
    assert record["rounds"][0]["merge"]["test"] == 2
    assert (tmp_path / "run/report.html").exists()
    assert kills >= 1
    shutil.rmtree(tmp_path / "run")
