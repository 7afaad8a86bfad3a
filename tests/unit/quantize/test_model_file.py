"""The model file: round trip, atomic writing, bad input, and files of old versions."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from nvnmd.quantize.errors import ModelFileError, QuantizeError
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import VERSION, load_model, read_header, save_model, to_bytes
from nvnmd.quantize.provenance import model_card
from nvnmd.quantize.reference import AtomInput, evaluate_atom

DATA = Path(__file__).parents[2] / "data"


def assert_equal(a: IntegerModel, b: IntegerModel) -> None:
    assert a.tensors.keys() == b.tensors.keys()
    for name, array in a.tensors.items():
        assert array.dtype == b.tensors[name].dtype, name
        assert np.array_equal(array, b.tensors[name]), name
    plain = ("type_map", "rcut_A", "u_cut", "u_min", "m2", "max_neighbors", "skip", "formats", "provenance")
    assert all(getattr(a, name) == getattr(b, name) for name in plain)


@pytest.mark.parametrize("which", ["model", "gated"])
def test_a_model_survives_its_file(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model = request.getfixturevalue(which)
    save_model(model, tmp_path / "a.nvnmd")
    assert_equal(load_model(tmp_path / "a.nvnmd"), model)


def test_the_same_model_gives_the_same_bytes(model: IntegerModel) -> None:
    assert to_bytes(model) == to_bytes(replace(model))


def test_nothing_is_left_behind(model: IntegerModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "a.nvnmd")
    save_model(model, tmp_path / "a.nvnmd")
    assert [path.name for path in tmp_path.iterdir()] == ["a.nvnmd"]


def test_a_broken_model_leaves_the_old_file(model: IntegerModel, tmp_path: Path) -> None:
    path = tmp_path / "a.nvnmd"
    save_model(model, path)
    with pytest.raises(QuantizeError):
        save_model(replace(model, max_neighbors=0), path)
    assert_equal(load_model(path), model)


def test_a_missing_folder_is_one_sentence(model: IntegerModel, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot write the model file"):
        save_model(model, tmp_path / "missing" / "a.nvnmd")


def test_words_too_wide_for_their_type_are_refused(model: IntegerModel) -> None:
    wide = model.energy_bias.astype(object) + 2**70
    with pytest.raises((QuantizeError, OverflowError)):
        to_bytes(replace(model, energy_bias=wide))


Parts = tuple[dict[str, Any], dict[str, Any]]  # header, tensors


def damaged(model: IntegerModel, path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Path:
    """A file of the model whose header and tensors were changed."""
    save_model(model, path)
    header, tensors = read_header(path), load(path.read_bytes())
    change(header, tensors)
    path.write_bytes(save(tensors, metadata={"nvnmd": json.dumps(header)}))
    return path


def other_dtype(tensors: dict[str, Any], name: str) -> None:
    tensors[name] = tensors[name].astype(np.int32 if tensors[name].dtype == np.int16 else np.int16)


BAD: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], Any], str]] = {
    "newer version": (lambda h, t: h.update(version=99), "version 99"),
    "version as text": (lambda h, t: h.update(version="1"), "version 1"),
    "other format": (lambda h, t: h.update(format="x"), "not an nvnmd model"),
    "no formats": (lambda h, t: h.pop("formats"), "formats"),
    "unknown format field": (lambda h, t: h["formats"].update(zz=1), "zz"),
    "real format": (lambda h, t: h["formats"].update(x_frac=11.5), "x_frac"),
    "skip is no list": (lambda h, t: h.update(skip=3), "a.nvnmd"),
    "type map too short": (lambda h, t: h.update(type_map=["Ge"]), "table"),
    "negative u_min": (lambda h, t: h.update(u_min=-32768), "u_min"),
    "u_cut too far": (lambda h, t: h.update(u_cut=h["u_cut"] + 99999), "disagree"),
    "rcut is text": (lambda h, t: h.update(rcut_A="six"), "six"),
    "tensor missing": (lambda h, t: t.pop("fit.weight.1"), "fit.weight.1"),
    "table missing": (lambda h, t: t.pop("scalar.coef"), "scalar.coef"),
    "wrong type of tensor": (lambda h, t: other_dtype(t, "feature.coef"), "feature.coef is int32"),
    "wrong shape": (lambda h, t: t.update({"fit.weight.2": t["fit.weight.2"][:, 1:]}), "fit"),
    "no dimensions": (lambda h, t: t.update({"feature.coef": np.array(3, np.int16)}), "a.nvnmd"),
    "weights too large": (lambda h, t: t["fit.weight.1"].fill(32767), "forward sum"),
    "extra tensor": (lambda h, t: t.update(extra=np.zeros(2, np.int32)), "extra"),
    "extra layer": (lambda h, t: t.update({"fit.weight.9": np.zeros((2, 2, 2), np.int16)}), "fit.weight.9"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_error(model: IntegerModel, tmp_path: Path, name: str) -> None:
    change, message = BAD[name]
    path = damaged(model, tmp_path / "a.nvnmd", change)
    with pytest.raises(ModelFileError, match=message) as caught:
        load_model(path)
    assert "a.nvnmd" in str(caught.value)


def test_every_truncation_is_an_error(model: IntegerModel, tmp_path: Path) -> None:
    data, path = to_bytes(model), tmp_path / "short.nvnmd"
    for length in (0, 1, 7, 8, 100, 3000, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError, match=r"short.nvnmd"):
            load_model(path)


def test_flipped_header_bytes_never_crash(model: IntegerModel, tmp_path: Path) -> None:
    data, path = bytearray(to_bytes(model)), tmp_path / "flipped.nvnmd"
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = data.copy()
        broken[int(rng.integers(0, 2500))] ^= int(rng.integers(1, 256))
        path.write_bytes(broken)
        try:
            load_model(path)
        except ModelFileError:
            continue


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00" * 64, b"PK\x03\x04", bytes(range(256))])
def test_other_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.nvnmd"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"other.nvnmd: "):
        load_model(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.nvnmd", tmp_path):
        with pytest.raises(ModelFileError, match="no such model file"):
            load_model(path)


def test_a_float_model_is_not_an_integer_model(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"a": np.zeros(3, np.float32)}))
    with pytest.raises(ModelFileError, match="nvnmd quantize"):
        load_model(path)


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_stored_files_of_every_version_stay_readable(version: int) -> None:
    model = load_model(DATA / f"model_v{version}.nvnmd")
    records = json.loads((DATA / f"model_v{version}.json").read_text(encoding="utf-8"))
    assert len(records) >= 6
    for record in records:
        x = np.array(record["displacement"], np.int64).reshape(-1, 3)
        result = evaluate_atom(model, AtomInput(record["center_type"], x, np.array(record["neighbor_type"], np.int64)))
        assert result.energy == record["energy"]
        assert result.force.tolist() == record["force"]
        assert (result.clipped, result.too_close) == (record["clipped"], record["too_close"])


def test_stored_files_are_small() -> None:
    assert all(path.stat().st_size < 60_000 for path in DATA.glob("model_v*"))


def test_the_model_card_tells_the_sizes(gated: IntegerModel, tmp_path: Path) -> None:
    save_model(gated, tmp_path / "a.nvnmd")
    card = model_card(tmp_path / "a.nvnmd")
    assert (card["form"], card["channels"], card["axis_neuron"]) == ("se_atten", 8, 2)
    assert card["fitting_neuron"] == [16, 16]
    assert card["fitting_multiplications"] == 16 * 16 + 16 * 16 + 16
    assert card["file_bytes"] == (tmp_path / "a.nvnmd").stat().st_size
    json.dumps(card)
