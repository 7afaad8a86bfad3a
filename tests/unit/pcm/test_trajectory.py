"""Dumps and logs are read as LAMMPS writes them, whole, cut short and continued."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.thermo import LogTail, ThermoLog, counted, read_log
from nvnmd.pcm.trajectory import read_dump, trim_dump


def frame(step, bounds="pp pp pp\n1 11\n2 22\n3 33\n"):
    return (
        f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS {bounds}"
        f"ITEM: ATOMS id type element xu yu zu\n1 1 Ge 1.0 2.0 {step}.5\n2 2 Te -4.0 2.5 3.0\n"
    )


def test_frames_come_one_by_one(tmp_path):
    path = tmp_path / "a.lammpstrj"
    path.write_text(frame(3) + frame(5))
    first, second = read_dump(path)
    assert (first.step, second.step) == (3, 5)
    assert_allclose(first.cell, np.diag([10.0, 20, 30]))
    assert_allclose(first.positions, [[0, 0, 0.5], [-5, 0.5, 0]])
    assert list(first.symbols) == ["Ge", "Te"]


def test_tilted_box(tmp_path):
    # Lattice (10 0 0), (2 20 0), (-3 4 30) at the origin, as bounds that enclose it (LAMMPS, Howto triclinic).
    path = tmp_path / "a.lammpstrj"
    path.write_text(frame(0, "xy xz yz pp pp pp\n-3 12 2\n0 24 -3\n0 30 4\n"))
    (only,) = read_dump(path)
    assert_allclose(only.cell, [[10, 0, 0], [2, 20, 0], [-3, 4, 30]])


@pytest.mark.parametrize("lost", [5, 30, 60, 110])
def test_cut_frame_is_left_out_with_a_warning(tmp_path, lost):
    path = tmp_path / "a.lammpstrj"
    path.write_text((frame(3) + frame(5))[:-lost])
    with pytest.warns(UserWarning, match="cut short"):
        assert [snapshot.step for snapshot in read_dump(path)] == [3]


def test_trim_drops_later_and_cut_frames(tmp_path):
    path = tmp_path / "a.lammpstrj"
    path.write_text(frame(3) + frame(5) + frame(7)[:20])
    trim_dump(path, 7)
    assert path.read_text() == frame(3) + frame(5)
    trim_dump(path, 5)
    assert path.read_text() == frame(3)


def test_bad_dumps_are_refused(tmp_path):
    path = tmp_path / "a.lammpstrj"
    with pytest.raises(PcmError, match="no such trajectory"):
        list(read_dump(path))
    path.write_text("hello\n")
    with pytest.raises(PcmError, match="no LAMMPS text dump"):
        list(read_dump(path))
    path.write_text(frame(3).replace("element", "mol"))
    with pytest.raises(PcmError, match="columns 'element'"):
        list(read_dump(path))


LOG = """\
Step Temp PotEng
0 1 -1
Loop time of 9 on 1 procs for 9 steps with 5 atoms
nvnmd stage melt
   Step    Temp    PotEng
    0   300   -5.0
WARNING: something happened
   10   310   -5.1
   20   320   -5.2
Loop time of 2.5 on 2 procs for 20 steps with 100 atoms
"""


def test_log_rows_by_stage_and_continued_rows_replace(tmp_path):
    path = tmp_path / "log.lammps"
    path.write_text(LOG + "nvnmd stage melt\nStep Temp PotEng\n10 311 -6\n20 nan -7\n")
    log = read_log(path)
    assert_allclose(log.column("Step"), [0, 10, 20])
    assert_allclose(log.column("Temp"), [300, 311, np.nan])
    assert [(loop.stage, loop.wall_s, loop.ranks, loop.steps, loop.atoms) for loop in log.loops] == [
        ("melt", 2.5, 2, 20, 100)
    ]
    with pytest.raises(PcmError, match="no column 'Press'; it has Step, Temp, PotEng"):
        log.column("Press")


def test_growing_log_is_read_by_whole_lines(tmp_path):
    path = tmp_path / "log.lammps"
    tail = LogTail(path)
    assert tail.poll().step == 0
    for end in range(0, len(LOG), 7):
        path.write_text(LOG[:end])
        tail.poll()
    path.write_text(LOG)
    assert tail.poll().rows == read_log(path).rows


def test_counters_add_up_over_sessions():
    log = ThermoLog()
    log.feed(["nvnmd session", "nvnmd stage melt", "Step clipped", "0 2", "10 5", "20 9"])
    log.feed(["nvnmd stage quench", "Step clipped", "20 9", "30 10"])
    assert counted(log, "clipped") == {"melt": 5, "quench": 5}
    # Killed at step 30 and continued from step 20: what was counted past it is not part of the run, and the atoms that
    # clipped a word at step 20 are not counted again.
    log.feed(["nvnmd session", "nvnmd stage quench", "Step clipped", "20 1", "30 12", "40 12"])
    assert list(log.column("clipped")) == [2, 5, 9, 20, 20]
    assert counted(log, "clipped") == {"melt": 5, "quench": 15}
    # Continued from a step between two rows: what was counted since the last row is lost, what comes now is not.
    log.feed(["nvnmd session", "nvnmd stage quench", "Step clipped", "45 3", "50 4"])
    assert list(log.column("clipped")) == [2, 5, 9, 20, 20, 23, 24]
