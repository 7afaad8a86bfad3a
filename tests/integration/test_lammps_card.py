"""pair_style nvnmd on a (fake) card: the trajectory of the CPU bit by bit, alone and shared by ranks, faults or not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

RUN = "fix 1 all nve\ntimestep 0.002\nrun 5\n"
DUMP = "write_dump all custom {} id type x y z fx fy fz modify sort id format float %a\n"


@pytest.fixture
def lammps(lammps_in, frame):
    return lammps_in(frame)


@pytest.fixture
def serve(lammps) -> Iterator:
    """Starts a fake card for the model of the run."""
    running = []

    def start(*options: str) -> Path:
        command = [sys.executable, "-m", "nvnmd.host.fake_card", "model.nvnmd", "--device", "card", *options]
        running.append(subprocess.Popen(command, cwd=lammps.folder, stdout=subprocess.PIPE, text=True))
        assert "serving" in running[-1].stdout.readline()
        return lammps.folder / "card"

    yield start
    for process in running:
        process.kill()
        process.wait()


def trajectory(lammps, options, name, ranks=1):
    text = f"units metal\nread_data start.data\npair_style nvnmd model.nvnmd {options}\npair_coeff * *\n"
    done = lammps.run(text + RUN + DUMP.format(name), ranks=ranks)
    assert done.returncode == 0, done.stdout + done.stderr
    return (lammps.folder / name).read_text(), done.stdout


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("faults", [(), ("--faults", "all", "--rate", "0.2")])
def test_the_trajectory_of_the_cpu(lammps, serve, ranks, faults):
    serve(*faults)
    expected, _ = trajectory(lammps, "", "cpu")
    found, printed = trajectory(lammps, "backend xdma device card batch 8 timeout 0.2 retries 50", "card", ranks)
    assert found == expected
    assert "on xdma (card, 1 thread)" in printed
    assert "transfers to the card so far" in printed
    assert ("faults found and mended: 0\n" in printed) == (not faults)


def test_a_silent_card_ends_the_run(lammps, serve):
    serve("--faults", "silent")
    style = "pair_style nvnmd model.nvnmd backend xdma device card timeout 0.1 retries 2\npair_coeff * *\n"
    done = lammps.run("units metal\nread_data start.data\n" + style + RUN)
    assert done.returncode != 0
    assert "no answer in time" in done.stdout
    assert "3 attempts" in done.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("backend xdma device nothing", "there is no card at nothing_user"),
        ("backend gpu", "this build has: cpu, sim, xdma"),
        ("device card", "keyword device is for a card; add backend xdma"),
        ("backend xdma batch 0", "batch must be 1 to 65536 atoms"),
        ("backend xdma timeout soon", "Expected floating point"),
    ],
)
def test_wrong_options_are_one_sentence(lammps, options, sentence):
    done = lammps.run(f"units metal\nread_data start.data\npair_style nvnmd model.nvnmd {options}\n")
    assert done.returncode != 0
    assert sentence in done.stdout
