"""Kernels, threads and LAMMPS's own ways of asking for threads change no bit of a trajectory."""

import os

import pytest

from nvnmd.host import kernel_names

RUN = "fix 1 all nve\ntimestep 0.002\nrun 5\n"
DUMP = "write_dump all custom {} id type x y z fx fy fz modify sort id format float %a\n"


def trajectory(lammps, options, name, *, first="", ranks=1, command=(), environment=None):
    """The dump after five steps with these options of pair_style, and what LAMMPS printed."""
    text = f"{first}units metal\nread_data start.data\npair_style nvnmd model.nvnmd {options}\npair_coeff * *\n"
    done = lammps.run(text + RUN + DUMP.format(name), ranks=ranks, command=command, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return (lammps.folder / name).read_text(), done.stdout


def test_every_kernel_that_runs_here_gives_the_same_bits(lammps_in, frame):
    lammps = lammps_in(frame)
    expected, _ = trajectory(lammps, "kernel portable", "portable")
    for kernel in kernel_names():
        found, printed = trajectory(lammps, f"backend cpu kernel {kernel}", kernel)
        assert f"on cpu ({kernel}, 1 thread)" in printed
        assert found == expected


@pytest.mark.parametrize("ranks", [1, 2])
def test_threads_given_as_an_option_change_no_bit(lammps_in, frame, ranks):
    lammps = lammps_in(frame)
    expected, _ = trajectory(lammps, "", "one")
    for threads in (2, 3):
        found, printed = trajectory(lammps, f"threads {threads}", "more", ranks=ranks)
        assert f"{threads} threads)" in printed
        assert found == expected


@pytest.mark.parametrize(
    ("command", "environment", "threads"),
    [
        ((), {"OMP_NUM_THREADS": "2"}, "2 threads)"),
        (("-sf", "omp", "-pk", "omp", "2"), {}, "2 threads)"),
        ((), {"OMP_NUM_THREADS": None}, "1 thread)"),
    ],
)
def test_threads_as_lammps_users_ask_for_them(lammps_in, frame, command, environment, threads):
    lammps = lammps_in(frame)
    expected, _ = trajectory(lammps, "", "one")
    kept = {key: value for key, value in os.environ.items() if key not in environment}
    kept.update({key: value for key, value in environment.items() if value is not None})
    found, printed = trajectory(lammps, "", "more", command=command, environment=kept)
    assert threads in printed
    assert found == expected


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("kernel sse9", "kernel 'sse9' is unknown or needs instructions that this CPU lacks; use one of auto"),
        ("threads 0", "threads must be 1 or more, not 0"),
        ("threads two", "Expected integer"),
        ("threads", "keyword threads has no value"),
    ],
)
def test_wrong_options_are_one_sentence(lammps_in, frame, options, sentence):
    done = lammps_in(frame).run(f"units metal\nread_data start.data\npair_style nvnmd model.nvnmd {options}\n")
    assert done.returncode != 0
    assert sentence in done.stdout
