"""Stages beyond melt and quench, run in LAMMPS: pulses, draining, frozen parts, early ends, guards, restarts.

A Lennard-Jones pair stands in for the potential: only the pair lines of the input differ.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import atom_temperatures, profile
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_input import PairLines
from nvnmd.pcm.runner import run_md
from nvnmd.pcm.settings import read_settings
from nvnmd.pcm.thermo import read_log
from nvnmd.pcm.trajectory import last_frame, read_dump

LJ = PairLines("lj/smooth/linear 6.0", ("* * 0.25 2.7",))
TOP = {"top": {"shape": "box", "z_A": [40.0, None]}}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.nvnmd"
    path.write_bytes(b"stands in for a model")
    return path


@pytest.fixture(autouse=True)
def _fast_polling(monkeypatch):
    monkeypatch.setattr("nvnmd.pcm.runner.POLL_S", 0.02)


def settings(*stages, **changes):
    output = {"thermo_every": 10, "restart_every": 100}
    base = {"repeats": [3, 3, 8], "density_per_A3": 0.036, "output": output, "timestep_fs": 2.0}
    return read_settings(None, **(base | changes), stages=[{"time_ps": 0.4, "dump_every_ps": 0.1} | s for s in stages])


WARM = {"name": "warm", "temperature_K": 300, "thermostat": {"style": "langevin", "damping_ps": 0.04}}
PULSE = {"name": "pulse", "ensemble": "nve", "velocities": True}


@pytest.mark.parametrize("place", [{"gradient": {"slabs": 8}}, {"region": "heater"}])
def test_a_pulse_adds_its_energy_and_no_momentum(tmp_path, model, place):
    heater = {"heater": {"shape": "cylinder", "axis": "y", "center_A": [9.0, 0.0], "radius_A": 8.0}}
    pulse = PULSE | {"heat": {"energy_fJ": 0.02, **place}}
    run = settings(WARM, pulse, regions=heater)
    record = run_md(model, run, tmp_path / "md", pair=LJ)
    stage = record["stages"][1]
    assert stage["heat_fJ"] == 0.02
    assert_allclose(stage["energy_change_fJ"], 0.02, rtol=0.01)
    frame = last_frame(tmp_path / "md/pulse.lammpstrj")
    along = profile(frame, atom_temperatures(frame), "z", width_A=16.0).value
    assert along[0] > along[-1] + 50
    masses = np.where(frame.symbols == "Ge", 72.63, 127.6)
    assert abs((masses[:, None] * frame.velocities).sum(axis=0)).max() < 0.5


def test_draining_cools_to_the_surroundings_and_not_below(tmp_path, model):
    hot = WARM | {"name": "hot", "temperature_K": 900}
    for by in ("cell", "atom"):
        drain = {"name": "drain", "ensemble": "nve", "time_ps": 2.0, "velocities": True,
                 "dissipate": {"ambient_K": 300, "time_ps": 0.15, "by": by}}  # fmt: skip
        record = run_md(model, settings(hot, drain), tmp_path / by, pair=LJ)
        log = read_log(tmp_path / by / "log.lammps")
        temperature = log.column("Temp")[np.array(log.stages) == "drain"]
        assert record["stages"][1]["energy_change_fJ"] < 0
        assert temperature[0] > 600
        assert temperature[-20:].mean() < 420
        assert by == "atom" or temperature.min() > 230


def test_frozen_atoms_stand_still_until_they_are_thawed(tmp_path, model):
    first = WARM | {"name": "held", "velocities": True}
    second = WARM | {"name": "free", "thaw": ["top"], "velocities": True}
    run_md(model, settings(first, second, regions=TOP, frozen=["top"]), tmp_path / "md", pair=LJ)
    frames = list(read_dump(tmp_path / "md/held.lammpstrj"))
    top = frames[0].positions[:, 2] % frames[0].cell[2, 2] >= 40.0
    assert 0.05 < top.mean() < 0.5
    assert_allclose(frames[-1].positions[top], frames[0].positions[top], atol=2e-5)
    assert (frames[-1].velocities[top] == 0).all()
    assert abs(frames[-1].positions[~top] - frames[0].positions[~top]).max() > 0.1
    freed = last_frame(tmp_path / "md/free.lammpstrj")
    assert abs(freed.positions[top] - frames[0].positions[top]).max() > 0.1
    # The temperature is that of the atoms that move.
    assert 220 < read_log(tmp_path / "md/log.lammps").column("Temp")[-20:].mean() < 380


def test_a_condition_ends_a_stage_early_and_the_next_starts_on_time(tmp_path, model):
    cool = {"name": "cool", "temperature_K": 100, "ramp": True, "time_ps": 4.0, "until": {"below_K": 250}}
    run = settings(WARM, cool, {"name": "hold", "temperature_K": 100})
    record = run_md(model, run, tmp_path / "md", pair=LJ)
    ended = record["stages"][1]["ended_early"]
    assert record["status"] == "complete"
    assert 200 < ended < run.plan()[1].last_step
    log = read_log(tmp_path / "md/log.lammps")
    assert log.column("Temp")[log.column("Step") == ended].max() < 250
    assert log.column("Step")[log.stages.index("hold")] == 2200


def test_an_interrupted_pulse_goes_on_and_adds_its_energy_once(tmp_path, model):
    pulse = PULSE | {"time_ps": 2.0, "heat": {"energy_fJ": 0.05, "gradient": {"slabs": 4}}}
    run = settings(WARM, pulse, WARM | {"name": "set"}, regions=TOP, frozen=["top"])

    def stop(progress):
        if progress.step > 500:
            raise KeyboardInterrupt

    assert run_md(model, run, tmp_path / "md", pair=LJ, on_progress=stop)["status"] == "stopped"
    record = run_md(model, run, tmp_path / "md", pair=LJ)
    assert record["status"] == "complete"
    assert len(record["sessions"]) == 2
    assert_allclose(record["stages"][1]["energy_change_fJ"], 0.05, rtol=0.003)


def test_pressure_on_one_axis_and_stress_output(tmp_path, model):
    stage = {"name": "melt", "temperature_K": 600, "barostat": {"axes": "z"}, "stress_every_steps": 5}
    run_md(model, settings(stage), tmp_path / "md", pair=LJ)
    first, last = next(read_dump(tmp_path / "md/melt.lammpstrj")), last_frame(tmp_path / "md/melt.lammpstrj")
    assert_allclose(last.cell[:2, :2], first.cell[:2, :2])
    assert last.cell[2, 2] != first.cell[2, 2]
    stress = np.loadtxt(tmp_path / "md/melt.stress")
    assert stress.shape == (41, 6)
    assert_allclose(np.diff(stress[:, 0]), 5)


def test_a_void_stops_the_run(tmp_path, model):
    run = settings(WARM | {"check_voids": True}, WARM | {"name": "later", "time_ps": 20.0}, max_void_radius_A=1.0)
    with pytest.raises(PcmError, match=r"after stage 'warm' an empty sphere"):
        run_md(model, run, tmp_path / "md", pair=LJ)
    run = settings(WARM | {"check_voids": True})
    record = run_md(model, run, tmp_path / "fine", pair=LJ)
    assert 1 < record["voids"]["warm"]["largest_radius_A"] < 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heat": {"energy_fJ": 20.0, "gradient": {}}}, "evaporate"),
        ({"heat": {"energy_fJ": 0.01, "region": "heater"}}, "names the region 'heater'"),
        ({"heat": {"energy_fJ": 0.01, "region": "out"}}, "nothing to heat"),
        ({"frozen": ["lid"]}, "names the region 'lid'"),
    ],
)
def test_pulses_and_regions_that_make_no_sense(tmp_path, model, change, message):
    out = {"out": {"shape": "sphere", "center_A": [500, 0, 0], "radius_A": 3}}
    with pytest.raises(PcmError, match=message):
        run_md(model, settings(WARM, PULSE | change, regions=out), tmp_path / "md", pair=LJ)
