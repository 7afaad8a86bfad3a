"""Models of DeePMD-kit in our float model: same numbers, or a reason (files made by make_files.py)."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nvnmd.training.deepmd import convert as conversion
from nvnmd.training.deepmd.convert import convert
from nvnmd.training.deepmd.frozen import read_frozen
from nvnmd.training.deepmd.source import DeepmdError
from nvnmd.training.metrics import predict
from nvnmd.training.system import System

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.load.*:DeprecationWarning")

FILES = Path(__file__).parents[2] / "data/deepmd_files"
# Rounding of float64 sums of 1,300 eV, and of float32 networks.
RELATIVE = {"pairs.pb": 1e-12, "pairs.dp": 1e-12, "shared.pt": 2e-5, "shared.pth": 2e-5}


def reference(name):
    with np.load(FILES / f"{name}.npz") as file:
        labels = dict(file)
    return System(
        name=name,
        type_map=("Ge", "Te"),
        types=labels["types"],
        cells=labels["cell"][None],
        positions=labels["positions"][None],
        energies=labels["energy"][None],
        forces=labels["forces"][None],
        virials=labels["virial"][None],
    )


@pytest.mark.parametrize("file", RELATIVE)
def test_same_energy_forces_and_virial(file):
    system = reference(Path(file).stem)
    model = convert(FILES / file)
    found = predict(model, system)
    shift = model.energy_shifts[system.types].sum()
    for ours, theirs in (
        (found.energies - shift, system.energies - shift),
        (found.forces, system.forces),
        (found.virials, system.virials),
    ):
        assert np.abs(ours - theirs).max() <= RELATIVE[file] * np.abs(theirs).max()


@pytest.mark.parametrize("names", [("pairs.pb", "pairs.dp"), ("shared.pt", "shared.pth")])
def test_two_forms_of_a_model_are_the_same(names):
    frozen, portable = (convert(FILES / name).arrays() for name in names)
    assert frozen.keys() == portable.keys()
    assert all(np.array_equal(frozen[name], portable[name]) for name in frozen)


def test_precision_is_kept():
    assert next(convert(FILES / "pairs.pb").parameters()).dtype == torch.float64
    assert next(convert(FILES / "shared.pt").parameters()).dtype == torch.float32


def test_guard_is_added_only_on_request():
    assert not convert(FILES / "pairs.pb").guard.r_out.any()
    assert convert(FILES / "pairs.pb", guard=True).guard.r_out.all()


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("descriptor", "type", "se_e2_r", "descriptor is 'se_e2_r'"),
        ("descriptor", "exclude_types", [[0, 1]], "descriptor.exclude_types"),
        ("descriptor", "activation_function", "gelu", "'gelu'; ours is tanh"),
        ("fitting_net", "type", "dipole", "'dipole'; only energy models"),
        ("fitting_net", "numb_fparam", 2, "fitting_net.numb_fparam is 2"),
        ("fitting_net", "atom_ener", [1.0, 2.0], "fitting_net.atom_ener"),
        ("", "use_srtab", "table.txt", "model.use_srtab is 'table.txt'"),
        ("", "type", "linear_ener", "'linear_ener'"),
        ("", "compress", {"type": "se_e2_a"}, "compressed"),
    ],
)
def test_other_mathematics_is_refused(tmp_path, section, key, value, words):
    """One setting of a real checkpoint is changed, as another training would have left it."""
    content = torch.load(FILES / "shared.pt", weights_only=True)
    settings = content["model"]["_extra_state"]["model_params"]
    (settings[section] if section else settings)[key] = value
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(DeepmdError, match=r"other\.pt") as failure:
        convert(tmp_path / "other.pt")
    assert words in str(failure.value)


def altered(monkeypatch, **changes):
    """Convert the frozen model with parts of what was read replaced."""
    source = replace(read_frozen(FILES / "pairs.pb"), **changes)
    monkeypatch.setitem(conversion.READERS, ".pb", lambda path: source)
    return convert(FILES / "pairs.pb")


def test_a_mean_shift_is_refused(monkeypatch):
    mean = read_frozen(FILES / "pairs.pb").mean.copy()
    mean[1, :, 0] = 0.05
    with pytest.raises(DeepmdError, match="set_davg_zero: true"):
        altered(monkeypatch, mean=mean)


def test_learned_timesteps_are_refused_unless_they_are_one(monkeypatch):
    fitting = read_frozen(FILES / "pairs.pb").fitting
    for step, fits in ((1.0, True), (1.001, False)):
        changed = [(net[0], replace(net[1], step=np.full(24, step)), net[2]) for net in fitting]
        if fits:
            assert altered(monkeypatch, fitting=changed).shape.fitting_neuron == (24, 24)
            continue
        with pytest.raises(DeepmdError, match="resnet_dt: false"):
            altered(monkeypatch, fitting=changed)


def test_a_skip_that_ours_lacks_is_refused(monkeypatch):
    """The same arrays from another backend than TensorFlow would have a skip in the first hidden layer, 24 to 24."""
    with pytest.raises(DeepmdError, match="layer 1 of the fitting nets goes from 24 to 24"):
        altered(monkeypatch, skip_in_first=True)


def test_the_conversion_would_show_swapped_networks(monkeypatch):
    system = reference("pairs")
    swapped = altered(monkeypatch, embedding=read_frozen(FILES / "pairs.pb").embedding[::-1])
    assert np.abs(predict(swapped, system).forces - system.forces).max() > 1e-3


@pytest.mark.parametrize("name", ["cut.pb", "cut.dp", "cut.pt", "cut.pth", "text.yaml"])
def test_damaged_files_are_named(tmp_path, name):
    whole = FILES / {".pb": "pairs.pb", ".dp": "pairs.dp"}.get(Path(name).suffix, "shared.pt")
    content = b"- 1\n" if name == "text.yaml" else whole.read_bytes()[:30000]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DeepmdError, match=name):
        convert(tmp_path / name)


def test_a_frozen_graph_is_read_or_refused_wherever_it_is_cut():
    data = (FILES / "pairs.pb").read_bytes()
    rng = np.random.default_rng(1)
    for end in rng.integers(1, len(data), 40):
        with pytest.raises(DeepmdError):
            conversion.READERS[".pb"](_Bytes(data[:end]))


class _Bytes:
    """A file in memory."""

    def __init__(self, data):
        self.data = data

    def read_bytes(self):
        return self.data


def test_unknown_endings_and_missing_files_are_answered(tmp_path):
    with pytest.raises(DeepmdError, match=r"\.pb, \.dp"):
        convert(tmp_path / "model.savedmodel")
    with pytest.raises(DeepmdError, match="no file at"):
        convert(tmp_path / "model.pb")


def test_yaml_form_is_read(tmp_path):
    """Arrays in a YAML file stand as mappings; written here from the *.dp."""
    h5py = pytest.importorskip("h5py")
    import yaml

    with h5py.File(FILES / "pairs.dp") as file:
        content = json.loads(file.attrs["json"])

        def spell_out(value, variable=False):
            if isinstance(value, dict):
                return {k: spell_out(v, variable or k == "@variables") for k, v in value.items()}
            if isinstance(value, list):
                return [spell_out(v, variable) for v in value]
            if variable and isinstance(value, str):
                array = file[value][()]
                return {"@is_variable": True, "dtype": array.dtype.name, "value": array.tolist()}
            return value

        (tmp_path / "model.yaml").write_text(yaml.safe_dump(spell_out(content)))
    ours, theirs = (convert(path).arrays() for path in (tmp_path / "model.yaml", FILES / "pairs.dp"))
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_a_constant_of_any_size_is_refused():
    """Protocol-buffer bytes of a node whose one value stands for 2^60."""

    def field(number, content):
        return bytes([number * 8 + 2, len(content)]) + content

    size = bytes([0x08]) + b"\x80" * 8 + b"\x10"  # dim { size: 2^60 }
    tensor = bytes([0x08, 2]) + field(2, field(2, size)) + field(6, b"\x00" * 8)
    attribute = field(1, b"value") + field(2, field(8, tensor))
    graph = field(1, field(1, b"x") + field(2, b"Const") + field(5, attribute))
    with pytest.raises(DeepmdError, match=str(2**60)):
        conversion.READERS[".pb"](_Bytes(graph))
