"""Every model file that one loader refuses, the other one refuses, too; each message names the file and the cause."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from nvnmd import host
from nvnmd.quantize.errors import ModelFileError
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import load_model, read_header, to_bytes
from nvnmd.quantize.testing import random_model

Header, Tensors = dict[str, Any], dict[str, Any]
Change = Callable[[Header, Tensors], Any]

LAYERS = 2


@pytest.fixture(scope="module")
def model() -> IntegerModel:
    """A random model whose second layer has a skip connection."""
    return random_model(5, m1=8, m2=2, neuron=(16,) * LAYERS)


def formats(**changes: Any) -> Change:
    return lambda h, t: h["formats"].update(changes)


def entry(key: str, place: int, value: int) -> Change:
    """Another number in a list of the formats."""
    return lambda h, t: h["formats"][key].__setitem__(place, value)


def header(**changes: Any) -> Change:
    return lambda h, t: h.update(changes)


def word(name: str, place: Any, value: int) -> Change:
    return lambda h, t: t[name].__setitem__(place, value)


def elements(count: int) -> Change:
    """So many types that share the tables and networks of the first one."""

    def change(h: Header, t: Tensors) -> None:
        h["type_map"] = [f"E{index}" for index in range(count)]
        for name in ("feature.table", "scalar.table", "guard.table"):
            t[name] = np.zeros((count, count), np.int32)
        for name in t:
            if name.startswith("fit.") or name == "energy_bias":
                t[name] = np.repeat(t[name][:1], count, axis=0)

    return change


def channels(count: int) -> Change:
    """So many channels, all zero, and a first layer that fits them."""

    def change(h: Header, t: Tensors) -> None:
        t["feature.coef"] = np.zeros((*t["feature.coef"].shape[:3], count), np.int16)
        t["fit.weight.1"] = np.zeros((*t["fit.weight.1"].shape[:2], count * h["m2"]), np.int16)

    return change


def layers(count: int) -> Change:
    """So many layers, all like the second one."""

    def change(h: Header, t: Tensors) -> None:
        h["skip"] = [False] + [True] * (count - 1)
        for layer in range(LAYERS + 1, count + 1):
            t[f"fit.weight.{layer}"], t[f"fit.bias.{layer}"] = t["fit.weight.2"], t["fit.bias.2"]
        for key in ("weight_frac", "act_frac", "grad_frac"):
            values = h["formats"][key]
            h["formats"][key] = values[:2] + [values[1]] * (count - LAYERS) + values[2:]

    return change


def width(count: int) -> Change:
    """A last layer of so many outputs, all weights zero."""

    def change(h: Header, t: Tensors) -> None:
        h["skip"] = [False, False]
        t["fit.weight.2"] = np.zeros((2, count, t["fit.weight.2"].shape[2]), np.int16)
        t["fit.bias.2"] = np.zeros((2, count), np.int32)
        t["fit.out.weight"] = np.zeros((2, count), np.int16)

    return change


def cutoff(u_cut: int) -> Change:
    """Another cutoff, radius and tables included."""

    def change(h: Header, t: Tensors) -> None:
        segments = -(-u_cut >> 15)
        h |= {"u_cut": u_cut, "rcut_A": float(np.sqrt(u_cut * 2.0 ** -h["formats"]["u_frac"]))}
        for name in ("feature.coef", "scalar.coef"):
            shape = t[name].shape
            t[name] = np.zeros((shape[0], segments, *shape[2:]), t[name].dtype)

    return change


GOOD: dict[str, Change] = {
    "unchanged": lambda h, t: None,
    "128 types": elements(128),
    "one type": elements(1),
    "256 channels": channels(256),
    "16 layers": layers(16),
    "a wide layer": width(4096),
    "the longest cutoff of the displacement words": cutoff(16776960),
    "the largest energy shift": word("energy_bias", 0, (1 << 47) - 1),
}

BAD: dict[str, tuple[Change, str]] = {
    "no types": (elements(0), "type_map must name 1 to 128"),
    "129 types": (elements(129), "type_map must name 1 to 128"),
    "the same element twice": (header(type_map=["Te", "Te"]), "type_map names an element twice"),
    "type map is text": (header(type_map="GeTe"), "must be (a list|array)"),
    "types are numbers": (header(type_map=[32, 52]), "text|must be string"),
    "257 channels": (channels(257), "1 to 256 channels"),
    "m2 = 0": (header(m2=0), "m2"),
    "m2 beyond the channels": (header(m2=9), "m2|fit.weight.1"),
    "no layers": (header(skip=[]), "skip must list 1 to 16 layers"),
    "17 layers": (layers(17), "skip must list 1 to 16 layers"),
    "skip is a number": (header(skip=[0, 1]), "true or false|must be boolean"),
    "a layer without outputs": (width(0), "layer 2 must have 1 to 65536 outputs"),
    "a layer of 65537 outputs": (width(65537), "layer 2 must have 1 to 65536 outputs"),
    "skip between different widths": (
        lambda h, t: (width(24)(h, t), h.update(skip=[False, True])),
        "layer 2 cannot have a skip",
    ),
    "1025 neighbors": (header(max_neighbors=1025), "max_neighbors"),
    "neighbors as text": (header(max_neighbors="64"), "max_neighbors"),
    "neighbors as real number": (header(max_neighbors=64.0), "max_neighbors"),
    "radius and u_cut disagree": (header(rcut_A=5.9), "rcut_A and u_cut disagree"),
    "negative radius": (header(rcut_A=-6.0), "rcut_A"),
    "radius as text": (header(rcut_A="6"), "rcut_A"),
    "cutoff longer than the displacement words": (cutoff(16776961), "dx_bits cannot hold a displacement"),
    "cutoff of 8 A": (cutoff(1 << 24), "dx_bits cannot hold a displacement"),
    "narrow displacements": (formats(dx_bits=17), "dx_bits cannot hold a displacement"),
    "tables start at zero": (header(u_min=0), "u_min"),
    "tables start beyond the cutoff": (header(u_min=1 << 24), "u_min"),
    "tables start inside a segment": (header(u_min=(1 << 16) + 5), "u_min"),
    "energy shift of 48 bits": (word("energy_bias", 1, 1 << 47), "energy_bias exceeds 48 bits"),
    "energy shift of -2^47": (word("energy_bias", 1, -(1 << 47)), "energy_bias exceeds 48 bits"),
    "smallest word as energy shift": (word("energy_bias", 1, -(1 << 63)), "energy_bias exceeds 48 bits"),
    "smallest word as weight": (word("fit.weight.1", (0, 0, 0), -32768), "weight"),
    "tanh segments of 2^16": (formats(tanh_seg_bits=16, tanh_shift=13), "tanh_seg_bits must be 0 to 15"),
    "negative tanh segments": (formats(tanh_seg_bits=-1, tanh_shift=-4), "tanh_seg_bits must be 0 to 15"),
    "fraction of 65": (formats(e_frac=65), "e_frac must be .*from -64 to 64"),
    "fraction of -65": (formats(y_frac=-65), "y_frac must be .*from -64 to 64"),
    "fraction of 65 in a list": (entry("grad_frac", 0, 65), "grad_frac must be .*from -64 to 64"),
    "a list as one fraction": (formats(y_frac=[12]), "y_frac must be"),
    "one fraction as a list": (formats(act_frac=13), "act_frac must be a list"),
    "true as fraction": (formats(y_frac=True), "y_frac must be"),
    "negative weight fraction with skip": (entry("weight_frac", 1, -1), "weight_frac of a layer with skip|shift"),
    "weight fraction of 17 with skip": (entry("weight_frac", 1, 17), "weight_frac of a layer with skip|backward sum"),
    "version is true": (header(version=True), "version"),
    **{
        f"{name} of {bits} bits": (formats(**{name: bits}), f"{name} must be 2 to {most}")
        for name, most in (
            ("x_bits", 15),
            ("weight_bits", 16),
            ("dx_bits", 18),
            ("a_bits", 18),
            ("b_bits", 18),
            ("v_bits", 18),
            ("p_bits", 27),
            ("f_bits", 32),
        )
        for bits in (0, 1, most + 1)
    },
}


def write(model: IntegerModel, change: Change, path: Path) -> None:
    path.write_bytes(to_bytes(model))
    h, t = read_header(path), {name: array.copy() for name, array in load(path.read_bytes()).items()}
    change(h, t)
    path.write_bytes(save(t, metadata={"nvnmd": json.dumps(h)}))


def refusals(path: Path) -> Iterator[str]:
    """What each loader says."""
    with pytest.raises(ModelFileError) as found:
        load_model(path)
    yield str(found.value)
    with pytest.raises(host.Error) as raised:
        host.model_info(path)
    yield str(raised.value)


@pytest.mark.parametrize("name", GOOD)
def test_both_loaders_take_the_largest_that_is_allowed(model: IntegerModel, tmp_path: Path, name: str) -> None:
    write(model, GOOD[name], tmp_path / "good.nvnmd")
    load_model(tmp_path / "good.nvnmd")
    host.model_info(tmp_path / "good.nvnmd")


@pytest.mark.parametrize("name", BAD)
def test_both_loaders_refuse_the_same_models(model: IntegerModel, tmp_path: Path, name: str) -> None:
    change, message = BAD[name]
    path = tmp_path / "bad.nvnmd"
    write(model, change, path)
    for said in refusals(path):
        assert said.startswith(f"{path}: ")
        assert len(said) > len(f"{path}: ") + 10
        assert "\n" not in said
        assert re.search(message, said)
