"""pair_style nvnmd FILE backend sim: the numbers of the CPU, and the time of a card."""

import re
from typing import Any

import pytest

RUN = (
    "units metal\natom_modify map yes\nread_data start.data\npair_style nvnmd model.nvnmd {options}\n"
    "pair_coeff * * Te Ge\nfix 1 all nve\nrun 4\n"
    "write_dump all custom {name} id type x y z vx vy vz fx fy fz modify sort id format float %a\n"
)
REPORT = re.compile(r"simulated, not measured: (\S+) s/step/atom, (\S+) s/step, over 5 steps")


def run(lammps: Any, name: str, options: str, ranks: int = 1) -> tuple[str, str]:
    done = lammps.run(RUN.format(name=name, options=options), ranks=ranks)
    assert done.returncode == 0, done.stdout
    return (lammps.folder / name).read_text(), done.stdout


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_same_bits_and_a_time(lammps_in: Any, frame: Any, ranks: int) -> None:
    lammps = lammps_in(frame)
    cpu, quiet = run(lammps, "cpu", "", ranks)
    sim, said = run(lammps, "sim", "backend sim", ranks)
    assert sim == cpu
    assert "simulated, not measured" not in quiet
    assert "on sim (card " in said
    found = REPORT.search(said)
    assert found, said
    per_atom, per_step = map(float, found.groups())
    assert per_step == pytest.approx(per_atom * len(frame.types), rel=2e-3)
    assert per_atom > 5e-8


def test_a_slower_clock_takes_longer_and_skipped_steps_count(lammps_in: Any, frame: Any) -> None:
    lammps = lammps_in(frame)
    times = []
    for number, options in enumerate(("clock 250", "clock 125", "clock 250 every 5")):
        found = REPORT.search(run(lammps, f"run{number}", f"backend sim card auto {options}")[1])
        assert found
        times.append(float(found.group(1)))
    assert times[1] > 1.2 * times[0]
    assert times[2] == pytest.approx(times[0], rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("backend sim card quick", "there is no card quick; try letter, fast or auto"),
        ("backend sim every 0", "every must be 1 or more, not 0"),
        ("backend sim clock -1", "clock must be positive, in MHz, not -1"),
        ("backend sim batch 9", "keyword batch is for a card; add backend xdma"),
        ("clock 250", "keyword clock is for a simulated card; add backend sim"),
        ("backend cuda", "does not know the backend cuda; this build has: cpu, sim, xdma"),
    ],
)
def test_options_that_cannot_be(lammps_in: Any, frame: Any, options: str, message: str) -> None:
    done = lammps_in(frame).run(RUN.format(name="none", options=options))
    assert done.returncode != 0
    assert message in done.stdout
