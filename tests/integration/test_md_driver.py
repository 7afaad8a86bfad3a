"""The melt-quench driver with LAMMPS: complete, stopped, killed, continued, broken.

A Lennard-Jones pair stands in for the potential: only the pair lines of the input differ.
"""

import json
import os
import signal

import numpy as np
import pytest

from nvnmd.pcm import launch
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_input import PairLines
from nvnmd.pcm.runfolder import last_restart
from nvnmd.pcm.runner import run_md
from nvnmd.pcm.settings import read_settings
from nvnmd.pcm.thermo import read_log
from nvnmd.pcm.trajectory import read_dump

LJ = PairLines("lj/cut 6", ("* * 0.1 2.8",))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.nvnmd"
    path.write_bytes(b"stands in for a model")
    return path


@pytest.fixture(autouse=True)
def _fast_polling(monkeypatch):
    monkeypatch.setattr("nvnmd.pcm.runner.POLL_S", 0.02)


def short_settings(steps=400, **changes):
    time_ps = steps * 0.002
    stages = [
        {"name": "melt", "temperature_K": 900, "time_ps": time_ps, "dump_every_ps": 0.1},
        {"name": "quench", "temperature_K": 300, "ramp": True, "time_ps": time_ps, "dump_every_ps": 0.1},
        {"name": "glass", "temperature_K": 300, "time_ps": time_ps, "sample": "amorphous", "dump_every_ps": 0.1},
    ]
    output = {"thermo_every": 10, "restart_every": 100}
    return read_settings(None, **({"atoms": 64, "stages": stages, "output": output} | changes))


def check_complete(folder, settings):
    """Every planned step is there once: thermo rows of the log and frames of the trajectories."""
    plan = settings.plan()
    steps = read_log(folder / "log.lammps").column("Step")
    np.testing.assert_array_equal(steps, np.arange(0, plan[-1].last_step + 1, settings.output.thermo_every))
    for stage in plan:
        frames = [snapshot.step for snapshot in read_dump(folder / stage.dump_file)]
        every = stage.dump_every
        assert frames == [step for step in range(stage.first_step, stage.last_step + 1) if step % every == 0]


@pytest.mark.parametrize("changes", [{}, {"start": "random"}, {"barostat": {}}, {"thermostat": {"style": "csvr"}}])
def test_complete_run(tmp_path, model, changes):
    settings = short_settings(**changes)
    record = run_md(model, settings, tmp_path / "md", pair=LJ)
    check_complete(tmp_path / "md", settings)
    assert record["status"] == "complete"
    assert json.loads((tmp_path / "md/md.json").read_text()) == record
    assert [stage["timed_steps"] for stage in record["stages"]] == [400, 400, 400]
    assert all(1e-9 < stage["s_per_step_per_atom"] < 1e-3 for stage in record["stages"])
    log = read_log(tmp_path / "md/log.lammps")
    glass = log.column("Temp")[log.column("Step") > settings.plan()[2].first_step + 100]
    assert abs(glass.mean() - 300) < 60


def test_two_ranks(tmp_path, model):
    record = run_md(model, short_settings(), tmp_path / "md", pair=LJ, ranks=2)
    assert {loop.ranks for loop in read_log(tmp_path / "md/log.lammps").loops} == {2}
    assert record["sessions"][0]["ranks"] == 2


def interrupt_at(step, action):
    def on_progress(progress):
        if progress.step >= step:
            action()

    return on_progress


def ctrl_c():
    raise KeyboardInterrupt


@pytest.mark.parametrize("ranks", [1, 2])
def test_ctrl_c_stops_in_order_and_the_same_call_goes_on(tmp_path, model, ranks):
    settings, folder = short_settings(steps=4000), tmp_path / "md"
    stopped = run_md(model, settings, folder, pair=LJ, ranks=ranks, on_progress=interrupt_at(4500, ctrl_c))
    assert stopped["status"] == "stopped"
    assert 4500 <= stopped["step"] < 12000
    restart = last_restart(folder)
    assert restart is not None
    assert restart[1] >= stopped["step"]
    record = run_md(model, settings, folder, pair=LJ)
    assert record["status"] == "complete"
    assert record["sessions"][1]["first_step"] == restart[1]
    check_complete(folder, settings)


def test_killed_run_goes_on_from_the_last_whole_restart(tmp_path, model, monkeypatch):
    settings, folder, processes = short_settings(steps=4000), tmp_path / "md", []
    start = launch.start
    monkeypatch.setattr(launch, "start", lambda *args: processes.append(start(*args)) or processes[-1])
    kill = interrupt_at(4500, lambda: os.killpg(processes[0].pid, signal.SIGKILL))
    with pytest.raises(PcmError, match="ended by SIGKILL; the same command continues"):
        run_md(model, settings, folder, pair=LJ, on_progress=kill)
    # A restart file that was being written when the power went.
    newest, step = last_restart(folder)
    newest.write_bytes(newest.read_bytes()[:-5])
    older, older_step = last_restart(folder)
    assert older != newest
    assert older_step < step
    assert run_md(model, settings, folder, pair=LJ)["sessions"][1]["first_step"] == older_step
    check_complete(folder, settings)


def test_folder_with_another_run_is_kept_unless_overwritten(tmp_path, model):
    folder = tmp_path / "md"
    run_md(model, short_settings(steps=50), folder, pair=LJ)
    log = (folder / "log.lammps").read_text()
    with pytest.raises(PcmError, match="other settings"):
        run_md(model, short_settings(steps=60), folder, pair=LJ)
    model.write_bytes(b"another")
    with pytest.raises(PcmError, match="another model"):
        run_md(model, short_settings(steps=50), folder, pair=LJ)
    assert (folder / "log.lammps").read_text() == log
    settings = short_settings(steps=60)
    assert run_md(model, settings, folder, pair=LJ, overwrite=True)["status"] == "complete"
    check_complete(folder, settings)


def test_complete_run_is_not_repeated(tmp_path, model):
    first = run_md(model, short_settings(steps=50), tmp_path / "md", pair=LJ)
    assert run_md(model, short_settings(steps=50), tmp_path / "md", pair=LJ) == first


def test_second_run_in_one_folder_is_refused(tmp_path, model):
    settings, folder = short_settings(steps=50), tmp_path / "md"

    def again(progress):
        with pytest.raises(PcmError, match="another run is at work here"):
            run_md(model, settings, folder, pair=LJ)

    run_md(model, settings, folder, pair=LJ, on_progress=again)


@pytest.mark.parametrize(
    ("pair", "changes", "message"),
    [
        (LJ, {"max_temperature_K": 400}, r"in stage 'melt' at step \d+ the temperature left the range below 400 K"),
        (PairLines("lj/cut 6", ("* * 0.1 9.0",)), {}, "temperature|energy became|lost atoms|no longer numbers"),
        (PairLines("lj/cuts 6", ("* * 0.1 2.8",)), {}, "LAMMPS stopped with: Unrecognized pair style 'lj/cuts'"),
    ],
)
def test_broken_runs_say_what_happened(tmp_path, model, pair, changes, message):
    with pytest.raises(PcmError, match=message):
        run_md(model, short_settings(**changes), tmp_path / "md", pair=pair)
    assert json.loads((tmp_path / "md/md.json").read_text())["status"] == "failed"


def test_missing_model_and_unwritable_folder(tmp_path, model):
    with pytest.raises(PcmError, match="no such model file"):
        run_md(tmp_path / "none.nvnmd", short_settings(), tmp_path / "md")
    with pytest.raises(PcmError, match="cannot be written to"):
        run_md(model, short_settings(), model / "md", pair=LJ)


def test_the_clock_stops_a_run_that_then_goes_on(tmp_path, model):
    settings = short_settings(steps=2000)
    record = run_md(model, settings, tmp_path / "md", pair=LJ, time_limit_s=0.0)
    assert record["status"] == "stopped"
    assert record["step"] < settings.plan()[-1].last_step
    assert run_md(model, settings, tmp_path / "md", pair=LJ)["status"] == "complete"
    check_complete(tmp_path / "md", settings)
