"""Settings of a search, and the settings of `nvnmd train` that belong to one network of it."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from nvnmd.training.errors import problem_text
from nvnmd.training.search.cost import Network
from nvnmd.training.section import Section
from nvnmd.training.settings import Settings, SettingsError, load_settings, parse_settings

Channels = Annotated[int, Field(ge=1, le=256)]
Width = Annotated[int, Field(ge=1, le=65536)]
Bits = Annotated[int, Field(ge=3, le=16)]
Cutoff = Annotated[float, Field(gt=0, lt=8)]


class Space(Section):
    """`space`: what the search may choose from; limits are those of the integer model (docs/numerics.md)."""

    layers: list[Annotated[int, Field(ge=1, le=16)]] = Field([1, 2, 3], min_length=1)
    widths: list[Width] = Field([8, 16, 24, 32, 48, 64, 96, 128], min_length=1)
    m1: list[Channels] = Field([8, 16, 24, 32], min_length=1)
    m2: list[Channels] = Field([2, 3, 4, 6], min_length=1)
    rcut: list[Cutoff] = Field([6.0], min_length=1)
    form: list[Literal["se_e2_a", "se_atten"]] = Field(["se_e2_a"], min_length=1)
    weight_bits: list[Bits] = Field([8, 10, 12, 16], min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Space:
        for name, values in self:
            if len(set(values)) != len(values):
                raise ValueError(f"{name} names a value twice: {values}")
        if max(self.m2) > min(self.m1):
            raise ValueError(f"m2 ({max(self.m2)}) may not be larger than the smallest m1 ({min(self.m1)})")
        return self


class Pruning(Section):
    """`pruning`: at each share of the steps only the better 1/factor of the networks that cost no more goes on."""

    at: list[Annotated[float, Field(gt=0, lt=1)]] = Field([0.25, 0.5])
    factor: float = Field(2.0, gt=1)
    peers: PositiveInt = Field(4, description="as many other networks must have been there before one is stopped")


class SearchSettings(Section):
    """A settings file of `nvnmd search`; `train` is a file of `nvnmd train`, or its sections."""

    train: str | dict[str, Any]
    steps: PositiveInt = Field(2000, description="training steps of every network")
    trials: PositiveInt = 60
    seed: int = Field(1, ge=0)
    sampler: Literal["nsga2", "tpe"] = "nsga2"
    population: int = Field(16, ge=2, description="of nsga2")
    tolerance: PositiveFloat = Field(0.03, description="how much worse than the letter's network a small one may be")
    space: Space = Space()
    pruning: Pruning | None = Pruning()


def load_search(path: Path) -> tuple[SearchSettings, Settings]:
    """Read the settings of a search (YAML; JSON is YAML too) and the training settings that it names.

    Raises:
        SettingsError: a file is missing or holds wrong settings; the message names file and key.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = str(error.strerror).lower() if isinstance(error, OSError) else "it is not a text file"
        raise SettingsError(f"cannot read settings from {path}: {reason}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise SettingsError(f"{path} holds no settings; it needs at least train: input.json")
    try:
        search = SearchSettings.model_validate(data, context={"notes": []})
    except ValidationError as error:
        raise SettingsError("\n".join(f"{path}: {problem_text(e)}" for e in error.errors())) from None
    try:
        base, _ = parse_settings(search.train) if isinstance(search.train, dict) else load_settings(_file(path, search))
    except SettingsError as error:
        raise SettingsError(f"{path}: train: {error}") from None
    if base.training.validation_data is None and not base.nvnmd.validation_fraction:
        raise SettingsError(
            f"{path}: train: nothing is held out to compare networks on; give training.validation_data or "
            f"nvnmd.validation_fraction"
        )
    return search, base


def data_folder(path: Path, search: SearchSettings) -> Path:
    """The folder that systems of the training settings count from."""
    return path.parent if isinstance(search.train, dict) else _file(path, search).parent


def settings_of(network: Network, base: Settings) -> Settings:
    """The training settings of one network: the base with its sizes."""
    data = base.model_dump(mode="json", exclude_unset=True)
    types = len(base.model.type_map)
    descriptor = data["model"].setdefault("descriptor", {})
    descriptor |= {
        "type": network.form,
        "rcut": network.rcut,
        "rcut_smth": min(base.model.descriptor.rcut_smth, 0.9 * network.rcut),
        "neuron": [*base.model.descriptor.neuron[:-1], network.m1],
        "axis_neuron": network.m2,
        "sel": _places(base.model.descriptor.sel, network.form, types),
    }
    data["model"].setdefault("fitting_net", {})["neuron"] = list(network.widths)
    return parse_settings(data)[0]


def shortened(settings: Settings, steps: int, seed: int) -> Settings:
    """Settings of a short training: the whole schedule in `steps` steps, with a fixed seed everywhere."""
    data = settings.model_dump(mode="json", exclude_unset=True)
    for key in ("decay_steps", "decay_rate", "warmup_steps"):
        data.get("learning_rate", {}).pop(key, None)
    for section in ("descriptor", "fitting_net"):
        data["model"].setdefault(section, {})["seed"] = seed
    data["training"] |= {"numb_steps": steps, "seed": seed, "disp_freq": steps, "save_freq": steps}
    return parse_settings(data)[0]


def settings_text(settings: Settings, read_from: Path, placed_in: Path) -> str:
    """Settings as a JSON file that stands in `placed_in` and finds the systems that were found from `read_from`."""
    data = settings.model_dump(mode="json", exclude_unset=True)
    for section in (data["training"][key] for key in ("training_data", "validation_data") if data["training"].get(key)):
        section["systems"] = [_moved(system, read_from, placed_in) for system in section["systems"]]
    return json.dumps(data, indent=2) + "\n"


def _moved(system: str, read_from: Path, placed_in: Path) -> str:
    if Path(system).is_absolute():
        return system
    origin = read_from if any(read_from.glob(system)) else Path()
    return os.path.relpath(origin.absolute() / system, placed_in.absolute())


def _places(sel: list[int] | int | str, form: str, types: int) -> list[int] | int | str:
    """The normalization of the base, for one number of places or for one of each type."""
    if isinstance(sel, str):
        return sel
    total = sum(sel) if isinstance(sel, list) else sel
    if form == "se_atten":
        return total
    return sel if isinstance(sel, list) and len(sel) == types else [math.ceil(total / types)] * types


def _file(path: Path, search: SearchSettings) -> Path:
    return path.parent / str(search.train)
