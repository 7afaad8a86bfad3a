"""Make reference.npz: energies, forces and virials of DeePMD-kit's own se_e2_a, with their weights and frames.

Needs an environment with DeePMD-kit 3.2.0 and TensorFlow (`pip install "deepmd-kit[cpu]==3.2.0"`), which nvnmd itself
does not. From the repository root:

    OMP_NUM_THREADS=1 python tests/data/deepmd_reference/make_reference.py

Each variant is trained for a few steps on data/gete-cp2k, so that weights and statistics are of a usual size; then
every weight is rounded to float16 (exact in float64, and small on disk), written back into a TensorFlow graph in
float64, and evaluated. Keys of the file:

    frames/N/{positions,cell,types}                     angstrom; types point into (Ge, Te)
    VARIANT/settings                                    JSON of model.descriptor and model.fitting_net
    VARIANT/embedding.{weights,biases}.L                [n_nets, ...], net = center * 2 + neighbor, or = neighbor
    VARIANT/fitting.{weights,biases}.L                  [n_types, ...]
    VARIANT/{radial_scale,angular_scale,energy_shifts}  [n_types]
    VARIANT/frames/N/{energy,forces,virial}             eV, eV/angstrom, eV; as `DeepPot.eval` returns them
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[3]
OUTPUT = Path(__file__).with_name("reference.npz")
TYPE_MAP = ["Ge", "Te"]
PHASES = ("crystal", "liquid", "amorphous")

BASE = {"type": "se_e2_a", "rcut": 6.0, "rcut_smth": 2.0, "sel": [40, 40], "resnet_dt": False, "set_davg_zero": True}
VARIANTS = {
    "letter": (
        {"neuron": [8, 16, 32], "axis_neuron": 4, "type_one_side": False},
        {"neuron": [128, 128, 128]},
    ),
    "small": (
        {"neuron": [6, 12, 12], "axis_neuron": 3, "type_one_side": True, "rcut": 5.0, "rcut_smth": 0.5},
        {"neuron": [24, 24, 16]},
    ),
}


def frames() -> list[dict[str, np.ndarray]]:
    """One 64-atom frame of each phase, and a rattled triclinic cell smaller than the cutoff."""
    result = []
    for phase in PHASES:
        folder = ROOT / "data/gete-cp2k" / phase
        types = np.loadtxt(folder / "type.raw", dtype=np.int64)
        positions = np.load(folder / "set.000/coord.npy")[0].reshape(-1, 3)
        result.append(
            {"positions": positions, "cell": np.load(folder / "set.000/box.npy")[0].reshape(3, 3), "types": types}
        )
    rng = np.random.default_rng(7)
    sites = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    cell = np.array([[6.1, 0.0, 0.0], [0.8, 5.8, 0.0], [-0.5, 0.6, 6.3]])
    positions = (sites / 2) @ cell + rng.normal(0.0, 0.15, (8, 3))
    result.append({"positions": positions, "cell": cell, "types": sites.sum(axis=1) % 2})
    return result


def train(folder: Path, descriptor: dict, fitting: dict) -> None:
    """A short DeePMD-kit training, frozen to folder/trained.pb."""
    settings = {
        "model": {"type_map": TYPE_MAP, "descriptor": {**descriptor, "seed": 1}, "fitting_net": {**fitting, "seed": 2}},
        "learning_rate": {"type": "exp", "start_lr": 0.002, "stop_lr": 1e-4, "decay_steps": 20},
        "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
        "training": {
            "training_data": {"systems": [str(ROOT / "data/gete-cp2k" / p) for p in PHASES], "batch_size": 1},
            "numb_steps": 300,
            "seed": 3,
        },
    }
    (folder / "input.json").write_text(json.dumps(settings))
    dp = str(Path(sys.executable).with_name("dp"))
    for arguments in (["train", "input.json"], ["freeze", "-o", "trained.pb"]):
        subprocess.run([dp, "--tf", *arguments], cwd=folder, check=True, capture_output=True)


def round_weights(data: dict) -> None:
    """Round every weight to float16 in place, and replace the large energy biases by small ones."""
    model = data["model"]
    networks = [*model["descriptor"]["embeddings"]["networks"], *model["fitting"]["nets"]["networks"]]
    for layer in (layer for network in networks if network for layer in network["layers"]):
        for key in ("w", "b"):
            values = layer["@variables"][key]
            layer["@variables"][key] = values.astype(np.float16).astype(np.float64)
    model["fitting"]["@variables"]["bias_atom_e"] = np.array([[-1.25], [-2.5]])


def weights(data: dict) -> dict[str, np.ndarray]:
    """Everything that fixes the model, in the layout that the docstring of this file gives."""
    descriptor, fitting = data["model"]["descriptor"], data["model"]["fitting"]
    nets = descriptor["embeddings"]["networks"]
    if not descriptor["type_one_side"]:  # stored as center + 2 * neighbor
        nets = [nets[center + 2 * neighbor] for center in range(2) for neighbor in range(2)]
    result = {}
    for room, group in (("embedding", nets), ("fitting", fitting["nets"]["networks"])):
        for layer in range(len(group[0]["layers"])):
            variables = [net["layers"][layer]["@variables"] for net in group]
            for name, key in (("weights", "w"), ("biases", "b")):
                result[f"{room}.{name}.{layer}"] = np.array([v[key] for v in variables]).astype(np.float16)
    assert not np.any(descriptor["@variables"]["davg"])
    deviation = np.asarray(descriptor["@variables"]["dstd"])  # [n_types, n_neighbors, 4]
    assert (deviation == deviation[:, :1]).all()
    assert (deviation[:, :, 1:2] == deviation[:, :, 1:]).all()
    result["radial_scale"], result["angular_scale"] = deviation[:, 0, 0], deviation[:, 0, 1]
    result["energy_shifts"] = np.asarray(fitting["@variables"]["bias_atom_e"]).ravel()
    return result


def make_variant(name: str, descriptor: dict, fitting: dict) -> dict[str, np.ndarray]:
    """Weights and predictions of one variant."""
    from deepmd.infer import DeepPot
    from deepmd.tf.utils.serialization import deserialize_to_file, serialize_from_file

    descriptor = {**BASE, **descriptor, "precision": "float64"}
    fitting = {**fitting, "resnet_dt": False, "precision": "float64"}
    result = {"settings": np.array(json.dumps({"descriptor": descriptor, "fitting_net": fitting}))}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        train(folder, descriptor, fitting)
        data = serialize_from_file(str(folder / "trained.pb"))
        round_weights(data)
        result |= weights(data)
        deserialize_to_file(str(folder / "rounded.pb"), data)
        model = DeepPot(str(folder / "rounded.pb"))
        for k, frame in enumerate(frames()):
            energy, force, virial = model.eval(frame["positions"][None], frame["cell"][None], frame["types"].tolist())
            result[f"frames/{k}/energy"] = energy.reshape(())
            result[f"frames/{k}/forces"], result[f"frames/{k}/virial"] = force[0], virial.reshape(3, 3)
    return {f"{name}/{key}": value for key, value in result.items()}


def main() -> None:
    """Write the file beside this script."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import deepmd

    arrays = {"deepmd_version": np.array(deepmd.__version__)}
    for k, frame in enumerate(frames()):
        arrays |= {f"frames/{k}/{key}": value for key, value in frame.items()}
    for name, (descriptor, fitting) in VARIANTS.items():
        arrays |= make_variant(name, descriptor, fitting)
    np.savez_compressed(OUTPUT, **arrays)
    print(f"{OUTPUT}: {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
