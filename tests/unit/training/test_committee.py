"""A committee in molecular dynamics."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet
from small_models import random_frame, random_model

from nvnmd.training.ase_calculator import DeepPotCalculator
from nvnmd.training.committee import CommitteeCalculator, DeviationLog
from nvnmd.training.deviation import DeviationError, deviation
from nvnmd.training.metrics import predict
from nvnmd.training.system import System


def structure(pbc=True):
    positions, cell, types = random_frame(closest=2.3)
    return Atoms(["Ge" if t == 0 else "Te" for t in types], positions, cell=cell, pbc=pbc)


def members():
    return [random_model(seed=seed) for seed in (1, 2, 3)]


def system_of(frames, model):
    """The frames with labels of zero."""
    n, atoms = len(frames), frames[0]
    return System(
        name="run",
        type_map=model.shape.type_map,
        types=np.array([model.shape.type_map.index(s) for s in atoms.get_chemical_symbols()]),
        cells=np.array([a.cell.array for a in frames]),
        positions=np.array([a.positions for a in frames]),
        energies=np.zeros(n),
        forces=np.zeros((n, len(atoms), 3)),
        virials=None,
        periodic=bool(atoms.pbc.all()),
    )


def test_the_first_member_moves_the_atoms():
    models, atoms = members(), structure()
    atoms.calc = CommitteeCalculator([DeepPotCalculator(m) for m in models])
    alone = structure()
    alone.calc = DeepPotCalculator(models[0])
    assert np.array_equal(atoms.get_forces(), alone.get_forces())
    assert np.array_equal(atoms.get_stress(), alone.get_stress())
    assert atoms.get_potential_energy() == alone.get_potential_energy()


@pytest.mark.parametrize("pbc", [True, False])
def test_a_run_writes_what_the_frames_give_afterwards(tmp_path, pbc):
    models, atoms = members(), structure(pbc)
    atoms.calc = CommitteeCalculator([DeepPotCalculator(m) for m in models])
    dynamics = VelocityVerlet(atoms, 2.0 * units.fs)
    frames = []
    log = DeviationLog(atoms.calc, tmp_path / "devi.out", dynamics.get_number_of_steps, atomic=True)
    dynamics.attach(log, interval=2)
    dynamics.attach(lambda: frames.append(atoms.copy()), interval=2)
    dynamics.run(6)
    rows = np.loadtxt(tmp_path / "devi.out")
    after = deviation([predict(m, system_of(frames, m)) for m in models])
    assert rows[:, 0].tolist() == [0, 2, 4, 6]
    expected = after.columns()
    if not pbc:
        expected[:, :3] = 0.0  # without a cell there is no stress
    assert rows[:, 1:8] == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert rows[:, 8:] == pytest.approx(after.force, rel=1e-5, abs=1e-9)
    assert atoms.calc.results["force_deviation"] == pytest.approx(after.force[-1])


def test_one_member_is_no_committee(tmp_path):
    with pytest.raises(DeviationError, match="two models"):
        CommitteeCalculator([DeepPotCalculator(random_model())])
    committee = CommitteeCalculator([DeepPotCalculator(m) for m in members()])
    with pytest.raises(DeviationError, match="nothing yet"):
        DeviationLog(committee, tmp_path / "devi.out", lambda: 0)()
