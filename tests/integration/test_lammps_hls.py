"""`backend hls`: the C simulation of an HLS project drives LAMMPS with the bits of the CPU."""

import shutil
from importlib.util import find_spec

import pytest

from nvnmd.fpga.hls.project import write_project
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.testing import random_model

HEAD = "units metal\nread_data start.data\n"
RUN = "pair_coeff * *\nfix 1 all nve\ntimestep 0.002\nrun 4\n"
DUMP = "write_dump all custom {} id type x y z fx fy fz modify sort id format float %a\n"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("hls4ml") is None, reason="hls4ml is not installed (pip install 'nvnmd[hls]')")
@pytest.mark.skipif(shutil.which("g++") is None, reason="the C simulation needs g++")
def test_a_trajectory_is_that_of_the_cpu(lammps_in, frame):
    lammps = lammps_in(frame)
    project = write_project(load_model(lammps.folder / "model.nvnmd"), lammps.folder / "project")
    found = {}
    for name, options in (("cpu", ""), ("hls", f"backend hls project {project}")):
        done = lammps.run(f"{HEAD}pair_style nvnmd model.nvnmd {options}\n{RUN}{DUMP.format(name)}")
        assert done.returncode == 0, done.stdout + done.stderr
        found[name] = (lammps.folder / name).read_text()
        assert (f"on hls (C simulation of {project})" in done.stdout) is (name == "hls")
    assert found["hls"] == found["cpu"]

    part = f"{HEAD}pair_style nvnmd model.nvnmd backend hls project project\n{RUN.replace('run 4', 'run 2')}"
    assert lammps.run(f"{part}write_restart half\n").returncode == 0
    done = lammps.run(f"read_restart half\nfix 1 all nve\nrun 2\n{DUMP.format('rest')}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (lammps.folder / "rest").read_text().split("ATOMS")[-1] == found["cpu"].split("ATOMS")[-1]

    save_model(random_model(77), lammps.folder / "other.nvnmd")
    done = lammps.run(f"{HEAD}pair_style nvnmd other.nvnmd backend hls project project\n{RUN}")
    assert "was written for another model" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("backend hls", "belong together"),
        ("project somewhere", "belong together"),
        ("backend hls project somewhere", "there is no compiled simulation"),
        ("backend hlz", "this build has: cpu, sim, xdma, hls"),
    ],
)
def test_projects_that_cannot_be_used(lammps_in, frame, options, named):
    lammps = lammps_in(frame)
    done = lammps.run(f"{HEAD}pair_style nvnmd model.nvnmd {options}\n{RUN}")
    assert done.returncode != 0
    assert named in " ".join((done.stdout + done.stderr).split())
