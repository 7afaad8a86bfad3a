"""Make the DeePMD-kit files that the tests convert, each with energies, forces and virials by DeePMD-kit itself.

Needs DeePMD-kit 3.2.0, which nvnmd itself does not. From the repository root, in an environment with TensorFlow and in
one with PyTorch (both may be the same):

    OMP_NUM_THREADS=1 python tests/data/deepmd_files/make_files.py tensorflow
    OMP_NUM_THREADS=1 python tests/data/deepmd_files/make_files.py pytorch

Each model is trained for a few steps on data/gete-cp2k. Written beside this script: pairs.pb (frozen), pairs.dp (the
same, converted), shared.pt (a checkpoint), shared.pth (the same, frozen), and pairs.npz and shared.npz with the keys
positions, cell, types, energy, forces, virial of one frame (eV, angstrom). The first hidden layer of `pairs` is as wide
as its input: DeePMD-kit's TensorFlow backend has no skip there, its other backends do.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PHASES = ("crystal", "liquid", "amorphous")
COMMON = {"type": "se_e2_a", "rcut": 5.0, "rcut_smth": 0.5, "sel": [40, 40], "set_davg_zero": True, "seed": 1}
MODELS = {
    "tensorflow": ("pairs", "float64", {"neuron": [4, 8, 8], "axis_neuron": 3}, [24, 24]),
    "pytorch": ("shared", "float32", {"neuron": [4, 8, 8], "axis_neuron": 3, "type_one_side": True}, [16, 16]),
}


def settings(backend: str) -> dict:
    """A short training of one of the models."""
    _, precision, descriptor, neuron = MODELS[backend]
    net = {"resnet_dt": False, "precision": precision}
    return {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {**COMMON, **net, **descriptor},
            "fitting_net": {**net, "neuron": neuron, "seed": 2},
        },
        "learning_rate": {"type": "exp", "start_lr": 0.005, "stop_lr": 1e-4, "decay_steps": 20},
        "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
        "training": {
            "training_data": {"systems": [str(ROOT / "data/gete-cp2k" / p) for p in PHASES], "batch_size": 1},
            "numb_steps": 60,
            "seed": 3,
        },
    }


def write_reference(name: str, model_file: str) -> None:
    """DeePMD-kit's numbers for a rattled triclinic cell smaller than the cutoff."""
    from deepmd.infer import DeepPot

    rng = np.random.default_rng(7)
    sites = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    cell = np.array([[6.1, 0.0, 0.0], [0.8, 5.8, 0.0], [-0.5, 0.6, 6.3]])
    positions = (sites / 2) @ cell + rng.normal(0.0, 0.15, (8, 3))
    types = sites.sum(axis=1) % 2
    energy, forces, virial = DeepPot(model_file).eval(positions[None], cell[None], types.tolist())
    np.savez_compressed(
        HERE / f"{name}.npz",
        positions=positions,
        cell=cell,
        types=types,
        energy=energy.reshape(()),
        forces=forces[0],
        virial=virial.reshape(3, 3),
    )


def main() -> None:
    """Train, freeze or convert, evaluate."""
    from deepmd.main import main as dp

    backend = sys.argv[1]
    name = MODELS[backend][0]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("input.json").write_text(json.dumps(settings(backend)))
        dp([f"--{backend}", "train", "input.json"])
        if backend == "tensorflow":
            dp(["--tensorflow", "freeze", "-o", "pairs.pb"])
            dp(["convert-backend", "pairs.pb", "pairs.dp"])
            for file in ("pairs.pb", "pairs.dp"):
                shutil.copy(file, HERE)
            write_reference(name, "pairs.pb")
        else:
            shutil.copy("model.ckpt-60.pt", HERE / "shared.pt")
            dp(["--pytorch", "freeze", "-c", "model.ckpt-60.pt", "-o", "shared.pth"])
            shutil.copy("shared.pth", HERE)
            write_reference(name, str(HERE / "shared.pt"))


if __name__ == "__main__":
    main()
