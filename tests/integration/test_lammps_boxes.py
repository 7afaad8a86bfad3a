"""pair_style nvnmd in cells of any shape and boundary, and in cells that change."""

from dataclasses import replace

import numpy as np
import pytest

from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.packing import evaluate_frame, pack_frame

READ = "read_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * *\n"
START = "units metal\n" + READ


def test_triclinic_cells(lammps_in, make_frame, model):
    frame = make_frame(4, tilt_A=2.0)
    lammps = lammps_in(frame)
    lammps.after(START + "run 0\n", "out", ranks=4)
    expected = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types))
    assert (np.ldexp(lammps.rows("out")[:, 8:], model.formats.f_frac) == expected.force).all()


@pytest.mark.parametrize("boundary", ["p p f", "s s s", "f p m", "p f f"])
def test_open_boundaries_leave_out_the_images(lammps_in, make_frame, model, boundary):
    frame = make_frame(3, spacing_A=3.0)
    wide = np.where([word == "p" for word in boundary.split()], 1.0, 8.0)
    inside = frame.positions + 0.5
    lammps = lammps_in(replace(frame, positions=inside))
    lammps.after(f"units metal\nboundary {boundary}\n{READ}run 0\n", "out", ranks=2)
    expected = evaluate_frame(model, pack_frame(model, inside, frame.cell * wide[:, None], frame.types))
    assert (np.ldexp(lammps.rows("out")[:, 8:], model.formats.f_frac) == expected.force).all()


def test_constant_pressure_and_its_restart(lammps_in, frame):
    """A triclinic NPT run goes on from a restart file; LAMMPS itself rounds the cell there, with any pair style."""
    lammps = lammps_in(frame)
    ensemble = "fix 1 all npt temp 300 300 0.1 tri 0 0 1.0\ntimestep 0.001\n"
    start = START + "change_box all triclinic\n" + ensemble
    lammps.after(start + "run 10\nwrite_restart half\nrun 10\n", "whole")
    lammps.after("read_restart half\n" + ensemble + "run 10\n", "again", ranks=2)
    np.testing.assert_allclose(lammps.rows("whole")[:, 2:], lammps.rows("again")[:, 2:], rtol=0, atol=1e-6)
    box = [float(word) for word in (lammps.folder / "whole").read_text().splitlines()[5].split()]
    assert abs(box[1] - box[0] - 12.0) > 1e-4


def test_box_relax_reaches_the_pressure_asked_for(lammps_in, make_frame, smooth_model):
    """Several minimizations, as LAMMPS's manual advises: box/relax keeps its reference cell during each."""
    lammps = lammps_in(make_frame(4, tilt_A=1.0))
    save_model(smooth_model, lammps.folder / "model.nvnmd")
    text = START + (
        "thermo_style custom step pe pxx pyy pzz pxy pxz pyz\nthermo_modify format float %.15g\n"
        "velocity all set 0 0 0\nrun 0\nfix r all box/relax tri 100000.0 vmax 0.01\nmin_style cg\n"
        + 3
        * "minimize 0 1e-3 400 3000\n"
    )
    rows = [line.split() for line in lammps.succeed(text, ranks=2).splitlines()]
    pressures = np.array([[float(w) for w in r[2:]] for r in rows if len(r) == 8 and r[0].isdigit() and "." in r[1]])
    wanted = np.array([1e5, 1e5, 1e5, 0, 0, 0])
    assert np.abs(pressures[0] - wanted).max() > 1e5
    assert np.abs(pressures[-1] - wanted).max() < 2e3


def test_lost_atoms_are_lammps_own_error(lammps_in, frame):
    run = "velocity all set 900 0 0\nfix 1 all nve\ntimestep 0.002\nneigh_modify every 1\nthermo 10\nrun 200\n"
    done = lammps_in(frame).run(f"units metal\nboundary f f f\n{READ}{run}", ranks=2)
    assert done.returncode != 0
    assert "Lost atoms" in done.stdout


def test_lost_atoms_may_be_ignored(lammps_in, frame):
    run = "velocity all set 900 0 0\nfix 1 all nve\ntimestep 0.002\nneigh_modify every 1\nthermo_modify lost ignore\n"
    printed = lammps_in(frame).succeed(f"units metal\nboundary f f f\n{READ}{run}run 200\n", ranks=2)
    assert "Loop time" in printed
