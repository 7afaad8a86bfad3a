"""The melt-quench driver with the project's own pair style and a random integer model."""

import json
import signal
import subprocess
import sys
import time
from importlib.resources import files

import numpy as np
import pytest

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_input import SATURATING_STAGES
from nvnmd.pcm.runner import run_md
from nvnmd.pcm.settings import read_settings, write_settings
from nvnmd.pcm.thermo import read_log
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model

pytestmark = pytest.mark.skipif(
    not any(entry.name.endswith("plugin.so") for entry in files("nvnmd.lammps_plugin").iterdir()),
    reason="the LAMMPS plugin is not built",
)
STAGES = [
    {"name": "melt", "temperature_K": 600, "time_ps": 0.1},
    {"name": "quench", "temperature_K": 300, "ramp": True, "time_ps": 0.1, "sample": "amorphous"},
]


def settings(**changes):
    return read_settings(None, **({"atoms": 64, "stages": STAGES, "output": {"thermo_every": 10}} | changes))


@pytest.fixture
def run_folder(tmp_path):
    (tmp_path / "quantize").mkdir()
    save_model(random_model(neuron=(16, 16)), tmp_path / "quantize/model.nvnmd")
    return tmp_path


def test_run_records_speed_and_saturation(run_folder):
    record = run_md(run_folder / "quantize/model.nvnmd", settings(), run_folder / "md")
    assert record["status"] == "complete"
    assert "pair_style nvnmd ../quantize/model.nvnmd backend cpu\n" in (run_folder / "md/in.lmp").read_text()
    names = ["clipped", *(f"clipped_{stage}" for stage in SATURATING_STAGES)]
    assert [list(stage["clipped"]) for stage in record["stages"]] == [names, names]
    assert all(stage["s_per_step_per_atom"] > 0 for stage in record["stages"])


def test_two_ranks_give_the_same_integers(run_folder):
    energies = []
    for ranks in (1, 2):
        run_md(run_folder / "quantize/model.nvnmd", settings(), run_folder / f"md{ranks}", ranks=ranks)
        energies.append(read_log(run_folder / f"md{ranks}/log.lammps").column("PotEng"))
    # Thermostats sum velocities in the order of the ranks, so only the first steps are the same to the last digit.
    np.testing.assert_array_equal(energies[0][:2], energies[1][:2])


def test_model_of_other_elements(run_folder):
    save_model(random_model(type_map=("Sb", "Te"), neuron=(16, 16)), run_folder / "sb.nvnmd")
    with pytest.raises(PcmError, match=r"LAMMPS stopped with: Pair style nvnmd: .*Ge"):
        run_md(run_folder / "sb.nvnmd", settings(), run_folder / "md")


def test_damaged_model(run_folder):
    model = run_folder / "quantize/model.nvnmd"
    model.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(PcmError, match="LAMMPS stopped with: Pair style nvnmd"):
        run_md(model, settings(), run_folder / "md")


def start(folder, *options):
    command = [sys.executable, "-m", "nvnmd", "md", str(folder / "quantize/model.nvnmd"), "-o", str(folder / "md")]
    command += ["-s", str(folder / "long.yaml"), *options]
    # A shell that runs the tests in the background lets them ignore SIGINT.
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for_step(folder, step):
    for _ in range(600):
        log = folder / "md/log.lammps"
        if log.exists() and read_log(log).step >= step:
            return
        time.sleep(0.05)
    raise AssertionError(f"the run never reached step {step}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_the_command_in_order_and_it_goes_on(run_folder, number):
    stages = [{"name": "melt", "temperature_K": 600, "time_ps": 40}]
    (run_folder / "long.yaml").write_text(write_settings(settings(stages=stages)))
    process = start(run_folder)
    wait_for_step(run_folder, 100)
    process.send_signal(number)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped at step" in shown
    record = json.loads((run_folder / "md/md.json").read_text())
    assert record["status"] == "stopped"
    assert 100 <= record["step"] < 20000
    again = start(run_folder, "--restart")
    wait_for_step(run_folder, record["step"] + 100)
    again.send_signal(number)
    again.communicate(timeout=60)
    assert json.loads((run_folder / "md/md.json").read_text())["sessions"][1]["first_step"] >= record["step"]


def test_command_says_what_it_would_run(run_folder):
    (run_folder / "long.yaml").write_text(write_settings(settings()))
    shown, _ = start(run_folder, "--dry-run").communicate(timeout=60)
    assert "# quench: 600 -> 300 K, 0.1 ps, 50 steps\n" in shown
    (run_folder / "shown.yaml").write_text(shown)
    assert read_settings(run_folder / "shown.yaml") == settings()
    assert not (run_folder / "md").exists()


def test_restart_without_a_run(run_folder):
    (run_folder / "long.yaml").write_text(write_settings(settings()))
    process = start(run_folder, "--restart")
    process.communicate(timeout=60)
    assert process.returncode == 2
