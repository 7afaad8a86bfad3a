"""Energy and momentum along a trajectory of a potential trained on the shipped DFT frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.physics

DATA = Path(__file__).parents[2] / "data" / "gete-cp2k"
SETTINGS = {
    "model": {
        "type_map": ["Ge", "Te"],
        "descriptor": {"rcut": 6.0, "rcut_smth": 2.0, "seed": 1},
        "fitting_net": {"neuron": [64, 64, 64], "seed": 1},
    },
    "learning_rate": {"start_lr": 0.002, "stop_lr": 1e-5},
    "loss": {"start_pref_v": 0.02, "limit_pref_v": 1.0},
    "training": {
        "training_data": {"systems": [str(DATA / "crystal"), str(DATA / "liquid")], "batch_size": 1},
        "numb_steps": 2000,
        "seed": 1,
    },
}
INPUT = """\
units metal
atom_modify map yes
read_data start.data
pair_style nvnmd model.nvnmd
pair_coeff * * Ge Te
velocity all create 300 4711
timestep 0.002
fix 1 all nvt temp 300 300 0.1
run 2000
unfix 1
velocity all zero linear
fix 1 all nve
reset_timestep 0
thermo_style custom step temp etotal
thermo_modify format float %.17g
thermo 100
run 25000
write_dump all custom out.dump id type vx vy vz fx fy fz modify sort id format float %a
"""


@pytest.fixture
def model(tmp_path: Path) -> Any:
    """A potential of Ge and Te, trained briefly and quantized."""
    from nvnmd.quantize.ptq import quantize_model
    from nvnmd.training.build import build_model, center_energies
    from nvnmd.training.frames import load_systems
    from nvnmd.training.settings import parse_settings
    from nvnmd.training.setup import build_trainer, prepare_data

    settings, _ = parse_settings(SETTINGS)
    data = prepare_data(load_systems(settings.training.training_data.systems, ["Ge", "Te"]))
    potential = build_model(settings, data.train, data.model_shifts)
    trainer = build_trainer(potential, settings, data, tmp_path)
    center_energies(potential, trainer.frames)
    trainer.run()
    return quantize_model(potential, data.train)


def test_energy_and_momentum_are_conserved(lammps_in: Any, make_frame: Any) -> None:
    frame = make_frame(6, 3.01)
    frame.velocities[:] = 0.0
    lammps = lammps_in(frame)
    done = lammps.run(INPUT)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = np.array([[float(word) for word in line.split()] for line in _table(done.stdout)])
    time_ns, energy_meV = rows[:, 0] * 2e-6, 1e3 * rows[:, 2] / 216
    assert 200 < rows[:, 1].mean() < 400
    assert abs(np.polyfit(time_ns, energy_meV, 1)[0]) < 10.0  # meV/atom/ns at 2 fs
    text = (lammps.folder / "out.dump").read_text().split("ITEM: ATOMS")[1].splitlines()[1:]
    atoms = np.array([[float.fromhex(word) for word in line.split()[2:]] for line in text])
    kinds = np.array([int(line.split()[1]) for line in text])
    assert atoms[:, 3:].sum(axis=0).tolist() == [0.0, 0.0, 0.0]  # exactly: pair forces are equal and opposite words
    momentum = (np.array([0.0, 72.63, 127.6])[kinds][:, None] * atoms[:, :3]).sum(axis=0)
    assert np.abs(momentum).max() < 1e-8 * np.abs(100 * atoms[:, :3]).sum()


def _table(text: str) -> list[str]:
    """Rows of the last thermo table."""
    lines = text.splitlines()
    start = max(k for k, line in enumerate(lines) if line.split()[:1] == ["Step"]) + 1
    end = next(k for k in range(start, len(lines)) if lines[k].startswith("Loop time"))
    return lines[start:end]
