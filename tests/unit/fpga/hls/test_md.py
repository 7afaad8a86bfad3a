"""Molecular dynamics on the C simulation: the trajectory of the CPU kernels, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from hls_cases import gated_model

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.potential import HlsCalculator
from nvnmd.host import NvnmdCalculator
from nvnmd.quantize.model_file import save_model

pytestmark = pytest.mark.xdist_group("hls")


def rocksalt() -> Atoms:
    base = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]) / 2
    atoms = Atoms("Ge4Te4", positions=base * 6.0, cell=np.eye(3) * 6.0, pbc=True)
    thermalize_momenta(atoms, 600, rng=np.random.default_rng(3))
    return atoms


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.nvnmd"
    save_model(gated_model(), path)
    return path


def test_a_trajectory_is_that_of_the_cpu(project: Path, model_file: Path) -> None:
    runs = []
    for calculator in (HlsCalculator(model_file, project), NvnmdCalculator(model_file, threads=1)):
        atoms = rocksalt()
        atoms.calc = calculator
        VelocityVerlet(atoms, 2 * units.fs).run(8)
        runs.append((atoms.positions, atoms.get_forces(), atoms.get_potential_energies(), atoms.get_stress()))
    (x, f, e, stress), (x_cpu, f_cpu, e_cpu, stress_cpu) = runs
    assert np.array_equal(x, x_cpu)
    assert np.array_equal(f, f_cpu)
    assert np.array_equal(e, e_cpu)
    assert np.allclose(stress, stress_cpu, rtol=1e-12, atol=0)  # sums of the same integers, divided in another order
    assert np.abs(x - rocksalt().positions).max() > 1e-3


def test_atoms_that_cannot_be(project: Path, model_file: Path) -> None:
    for atoms, named in (
        (Atoms("Sb", cell=np.eye(3) * 9, pbc=True), "no element Sb"),
        (Atoms("Ge", cell=np.eye(3) * 9, pbc=(True, False, True)), "all directions or in none"),
        (Atoms("Ge2", positions=[[0, 0, 0], [0.2, 0, 0]]), "closer"),
    ):
        atoms.calc = HlsCalculator(model_file, project)
        with pytest.raises(HlsError, match=named):
            atoms.get_forces()
