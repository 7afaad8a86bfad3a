"""`nvnmd quantize` from a float model to the file, and its errors."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer

from nvnmd.cli.quantize import find_model, quantize
from nvnmd.quantize.model_file import load_model, read_header
from nvnmd.training.errors import NvnmdError
from nvnmd.training.guard import Guard
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.model_file import save_model
from nvnmd.training.settings import parse_settings
from nvnmd.training.setup import prepare_data, provenance
from nvnmd.training.system import System


def write_frames(folder: Path, model: DeepPot, seed: int = 0, count: int = 5) -> System:
    """A deepmd/npy folder of eight atoms, labeled by the model."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    system = System(
        name=folder.name,
        type_map=("Ge", "Te"),
        types=grid.sum(axis=1) % 2,
        cells=np.array([np.eye(3) * 6.0] * count),
        positions=grid * 3.0 + rng.normal(0, 0.1, (count, 8, 3)),
        energies=np.zeros(count),
        forces=np.zeros((count, 8, 3)),
        virials=None,
    )
    found = predict(model.double(), system)
    arrays = {
        "coord": system.positions,
        "box": system.cells,
        "energy": found.energies,
        "force": found.forces + rng.normal(0, 0.05, found.forces.shape),
    }
    (folder / "set.000").mkdir(parents=True)
    np.savetxt(folder / "type.raw", system.types, fmt="%d")
    (folder / "type_map.raw").write_text("Ge\nTe\n")
    for name, array in arrays.items():
        np.save(folder / "set.000" / f"{name}.npy", array.reshape(count, -1) if array.ndim > 1 else array)
    return system


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with a float model and frames, as nvnmd train leaves it."""
    from nvnmd.training.frames import load_systems

    shape = ModelShape(
        ("Ge", "Te"), rcut=5.0, rcut_smth=2.0, sel=(20,), neuron=(4, 8), axis_neuron=2, fitting_neuron=(8, 8)
    )
    model = DeepPot(shape, Guard.for_elements(("Ge", "Te")), seed=1)
    model.radial_scale[:], model.angular_scale[:] = 0.08, 0.05
    write_frames(tmp_path / "frames", model)
    settings, _ = parse_settings(
        {
            "model": {"type_map": ["Ge", "Te"], "descriptor": {"rcut": 5.0}},
            "training": {"training_data": {"systems": ["frames"], "batch_size": 1}, "numb_steps": 3},
            "nvnmd": {"validation_fraction": 0.4},
        }
    )
    data = prepare_data(load_systems([tmp_path / "frames"], ["Ge", "Te"]), None, 0.4)
    model.energy_shifts = data.model_shifts.copy()
    (tmp_path / "train").mkdir()
    save_model(model, tmp_path / "train" / "model.safetensors", provenance(settings, data))
    return tmp_path


def test_it_writes_everything_beside_the_float_model(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quantize(run / "train", steps=4)
    folder = run / "quantize"
    made = load_model(folder / "model.nvnmd").provenance
    assert {path.name for path in folder.iterdir()} == {"model.nvnmd", "lcurve.out", "stages.json", "model.ckpt.pt"}
    assert made["quantize"]["tuning"]["steps"] == 4
    assert made["float_model"]["file"] == "model.safetensors"
    assert set(made["errors"]["integer"]["parts"]) == {"train", "held out"}
    assert [entry["frames"] for entry in made["training_data"]] == [3]
    records = json.loads((folder / "stages.json").read_text())
    assert {"stage", "mode", "force_rmse_meV_A", "energy_rmse_meV_atom"} <= set(records[0])
    assert "held out: force RMSE" in capsys.readouterr().out


def test_without_fine_tuning(run: Path) -> None:
    quantize(run, output=run / "ptq", finetune=False, weight_bits=8)
    assert {path.name for path in (run / "ptq").iterdir()} == {"model.nvnmd", "stages.json"}
    header = read_header(run / "ptq" / "model.nvnmd")
    assert header["formats"]["weight_bits"] == 8
    assert "tuning" not in header["provenance"]["quantize"]


def test_other_frames_are_recorded(run: Path) -> None:
    from nvnmd.training.model_file import load_model as load_float

    write_frames(run / "more", load_float(run / "train" / "model.safetensors"), seed=5)
    quantize(run, data=[str(run / "more")], steps=2)
    made = read_header(run / "quantize" / "model.nvnmd")["provenance"]
    assert [entry["name"] for entry in made["quantize"]["training_data"]] != [e["name"] for e in made["training_data"]]


def test_it_continues_from_its_checkpoint(run: Path) -> None:
    from nvnmd.training.checkpoint import CheckpointError

    quantize(run, steps=2)
    quantize(run, steps=2, restart=True)
    with pytest.raises(CheckpointError, match="steps"):
        quantize(run, steps=3, restart=True)


def test_a_stop_keeps_the_best_and_leaves_with_130(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nvnmd.training.trainer import Trainer

    step = Trainer._advance

    def stop_after_two(self: Trainer, *arguments: object) -> None:
        step(self, *arguments)  # type: ignore[arg-type]
        if self.step == 2:
            self.request_stop()

    monkeypatch.setattr(Trainer, "_advance", stop_after_two)
    with pytest.raises(typer.Exit) as caught:
        quantize(run, steps=5)
    assert caught.value.exit_code == 130
    assert "best" in load_model(run / "quantize" / "model.nvnmd").provenance["quantize"]
    monkeypatch.undo()
    quantize(run, steps=5, restart=True)
    assert load_model(run / "quantize" / "model.nvnmd").provenance["errors"]


def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NvnmdError, match=r"no model.safetensors there"):
        find_model(tmp_path)
    with pytest.raises(NvnmdError, match=r"no model.safetensors there"):
        find_model(tmp_path / "nowhere")


def test_missing_frames_are_one_sentence(run: Path) -> None:
    (run / "frames").rename(run / "elsewhere")
    with pytest.raises(NvnmdError, match="frames"):
        quantize(run, steps=1)


def test_a_model_that_was_not_trained_here_needs_frames(tmp_path: Path) -> None:
    from nvnmd.cli.quantize import _load_data
    from nvnmd.training.build import check_shape
    from nvnmd.training.deepmd.convert import convert

    root = Path(__file__).parents[3]
    model = convert(root / "tests/data/deepmd_files/pairs.pb")
    save_model(model, tmp_path / "model.safetensors")
    with pytest.raises(NvnmdError, match="give frames with --data"):
        _load_data(tmp_path / "model.safetensors", None)
    data = [str(root / "data/gete-cp2k/validation")]
    settings, frames, record = _load_data(tmp_path / "model.safetensors", data)
    check_shape(model, settings)
    assert sum(system.n_frames for system in frames.validation) == 1
    assert record is not None
    assert record["training_data"][0]["frames"] == 12
