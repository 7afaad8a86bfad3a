"""Settings in the form of DeePMD-kit's input.json: schema, defaults, and what becomes of keys that do not apply.

Keys that this potential has no use for are either accepted with a note (the result does not depend on them) or refused
with a reason (a user who set them would expect something else). Keys starting with an underscore are comments.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from nvnmd.training.errors import NvnmdError, problem_text
from nvnmd.training.schedule import LearningRateSettings
from nvnmd.training.section import Section


class SettingsError(NvnmdError, ValueError):
    """A settings file that cannot be used; the message names the key."""


class DescriptorSettings(Section):
    """`model.descriptor`."""

    ignored: ClassVar[dict[str, str]] = {
        "precision": "training runs in nvnmd.precision",
        "set_davg_zero": "rows of the environment matrix are never shifted by a mean, as with true",
        "attn": "there is no attention",
        "attn_dotr": "there is no attention",
        "attn_mask": "there is no attention",
        "tebd_dim": "the gate of each pair of types is trained directly",
        "smooth_type_embedding": "the gate multiplies the switched embedding, which is smooth already",
        "stripped_type_embedding": "the gate form is the strip form already",
    }
    refused: ClassVar[dict[str, str]] = {
        "exclude_types": "leaving out pairs of types is not part of this potential",
        "env_protection": "s(r) is exactly w(r)/r here",
        "spin": "this potential has no spin",
    }

    type: Literal["se_e2_a", "se_atten"] = "se_e2_a"
    rcut: PositiveFloat = 6.0
    rcut_smth: float = Field(0.5, ge=0)
    sel: list[PositiveInt] | PositiveInt | str = "auto"
    neuron: list[PositiveInt] = Field([8, 16, 32], min_length=1)
    axis_neuron: PositiveInt = 4
    activation_function: Literal["tanh"] = "tanh"
    resnet_dt: bool = False
    type_one_side: bool = False
    trainable: Literal[True] = True
    seed: int | None = None
    attn_layer: Literal[0] = 0
    tebd_input_mode: Literal["strip"] = "strip"

    @field_validator("type", mode="before")
    @classmethod
    def _old_name(cls, value: Any) -> Any:
        return "se_e2_a" if value == "se_a" else value

    @field_validator("sel")
    @classmethod
    def _only_auto(cls, value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch(r"auto(:\d+(\.\d+)?)?", value):
            raise ValueError("give a list of numbers, one per type, 'auto' or 'auto:FACTOR'")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> DescriptorSettings:
        if not self.rcut_smth < self.rcut:
            raise ValueError(f"rcut_smth ({self.rcut_smth}) must be smaller than rcut ({self.rcut})")
        if self.axis_neuron > self.neuron[-1]:
            raise ValueError(f"axis_neuron ({self.axis_neuron}) is larger than the last of neuron ({self.neuron[-1]})")
        return self


class FittingSettings(Section):
    """`model.fitting_net`."""

    ignored: ClassVar[dict[str, str]] = {
        "precision": "training runs in nvnmd.precision",
        "rcond": "energy shifts are fitted by plain least squares",
    }
    refused: ClassVar[dict[str, str]] = {
        "numb_fparam": "frame parameters are not part of this potential",
        "numb_aparam": "atomic parameters are not part of this potential",
        "dim_case_embd": "this potential has one output",
        "atom_ener": "energy shifts are fitted to the data",
        "use_aparam_as_mask": "atomic parameters are not part of this potential",
        "layer_name": "layers are not shared",
    }

    type: Literal["ener"] = "ener"
    neuron: list[PositiveInt] = Field([128, 128, 128], min_length=1)
    resnet_dt: bool = False
    activation_function: Literal["tanh"] = "tanh"
    trainable: Literal[True] = True
    seed: int | None = None


class ModelSettings(Section):
    """`model`."""

    ignored: ClassVar[dict[str, str]] = {
        "data_stat_nbatch": "statistics use up to 200 frames",
        "data_stat_protect": "scales are protected as in DeePMD-kit (0.01)",
        "data_bias_nsample": "energy shifts use every frame",
        "type_embedding": "the se_atten form trains its gate directly",
        "info": "it is a comment of the frozen model",
    }
    refused: ClassVar[dict[str, str]] = {
        "use_srtab": "the short-range guard is nvnmd.guard",
        "smin_alpha": "the short-range guard is nvnmd.guard",
        "sw_rmin": "the short-range guard is nvnmd.guard",
        "sw_rmax": "the short-range guard is nvnmd.guard",
        "pair_exclude_types": "leaving out pairs of types is not part of this potential",
        "atom_exclude_types": "leaving out types is not part of this potential",
        "modifier": "data modifiers are not part of this potential",
        "spin": "this potential has no spin",
        "shared_dict": "one model is trained at a time",
        "model_dict": "one model is trained at a time",
    }

    type: Literal["standard"] = "standard"
    type_map: list[str] = Field(min_length=1)
    descriptor: DescriptorSettings = DescriptorSettings()
    fitting_net: FittingSettings = FittingSettings()

    @model_validator(mode="after")
    def _consistent(self) -> ModelSettings:
        if len(set(self.type_map)) != len(self.type_map):
            raise ValueError(f"type_map names a type twice: {self.type_map}")
        sel = self.descriptor.sel
        if self.descriptor.type == "se_e2_a" and isinstance(sel, list) and len(sel) != len(self.type_map):
            raise ValueError(f"descriptor.sel has {len(sel)} numbers for {len(self.type_map)} types")
        return self


class LossSettings(Section):
    """`loss`: each prefactor goes from start to limit as the learning rate goes from start_lr to 0."""

    ignored: ClassVar[dict[str, str]] = {
        "start_pref_pf": "there are no per-atom force prefactors in the data",
        "limit_pref_pf": "there are no per-atom force prefactors in the data",
    }
    refused: ClassVar[dict[str, str]] = {
        "start_pref_ae": "data have no atomic energies",
        "limit_pref_ae": "data have no atomic energies",
        "start_pref_gf": "generalized forces are not part of the loss",
        "limit_pref_gf": "generalized forces are not part of the loss",
        "numb_generalized_coord": "generalized forces are not part of the loss",
        "relative_f": "the force error is absolute",
        "enable_atom_ener_coeff": "data have no atomic energy coefficients",
        "use_huber": "the loss is quadratic",
    }

    type: Literal["ener"] = "ener"
    start_pref_e: float = Field(0.02, ge=0)
    limit_pref_e: float = Field(1.0, ge=0)
    start_pref_f: float = Field(1000.0, ge=0)
    limit_pref_f: float = Field(1.0, ge=0)
    start_pref_v: float = Field(0.0, ge=0)
    limit_pref_v: float = Field(0.0, ge=0)


class DataSettings(Section):
    """`training.training_data` and `training.validation_data`."""

    ignored: ClassVar[dict[str, str]] = {"set_prefix": "every set.* folder is read"}

    systems: list[str] = Field(min_length=1)
    batch_size: PositiveInt | str | list[PositiveInt] = "auto"
    auto_prob: Literal["prob_sys_size", "prob_uniform"] = Field("prob_sys_size", alias="auto_prob")
    sys_probs: list[float] | None = None
    numb_btch: PositiveInt = Field(1, description="validation batches per line of the learning curve")

    @field_validator("systems", mode="before")
    @classmethod
    def _one_system(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("batch_size")
    @classmethod
    def _one_size(cls, value: Any) -> Any:
        if isinstance(value, list):
            if len(set(value)) > 1:
                raise ValueError("give one number: a batch may mix systems, so all have the same batch size")
            return value[0]
        if isinstance(value, str) and value != "auto" and not (value.startswith("auto:") and value[5:].isdigit()):
            raise ValueError("give a number, 'auto' or 'auto:ATOMS'")
        return value


class TrainingSettings(Section):
    """`training`."""

    ignored: ClassVar[dict[str, str]] = {
        "disp_training": "the learning curve is always written",
        "time_training": "time left is always shown",
        "profiling": "use a profiler of your choice",
        "profiling_file": "use a profiler of your choice",
        "enable_profiler": "use a profiler of your choice",
        "numb_test": "give validation_data.numb_btch",
        "kf_blocksize": "choose among nvnmd.optimizer",
        "max_ckpt_keep": "the newest checkpoint replaces the one before",
        "save_dir": "give -o DIR",
        "disp_avg": "the learning curve shows the batch at hand",
        "stat_file": "statistics are computed at each start",
    }
    refused: ClassVar[dict[str, str]] = {
        "mixed_precision": "training runs in nvnmd.precision",
        "data_dict": "one model is trained at a time",
        "change_bias_after_training": "energy shifts are fitted before training",
    }

    training_data: DataSettings
    validation_data: DataSettings | None = None
    numb_steps: PositiveInt = Field(20000, alias="numb_steps")
    seed: int | None = None
    opt_type: Literal["Adam"] = "Adam"
    disp_file: str = "lcurve.out"
    disp_freq: PositiveInt = 100
    save_freq: PositiveInt = 1000
    save_ckpt: str = "model.ckpt"
    tensorboard: bool = False
    tensorboard_log_dir: str = "log"
    tensorboard_freq: PositiveInt = 100
    gradient_max_norm: float = Field(0.0, ge=0, description="clip the gradient to this norm; 0: never")

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, data: Any) -> Any:
        if isinstance(data, dict) and "stop_batch" in data and "numb_steps" not in data:
            data = {("numb_steps" if key == "stop_batch" else key): value for key, value in data.items()}
        return data


class GuardSettings(Section):
    """`nvnmd.guard`: from `inner` to `outer` times the sum of covalent radii."""

    inner: PositiveFloat = 0.60
    outer: PositiveFloat = 0.80

    @model_validator(mode="after")
    def _consistent(self) -> GuardSettings:
        if not self.inner < self.outer:
            raise ValueError(f"inner ({self.inner}) must be smaller than outer ({self.outer})")
        return self


class NvnmdSettings(Section):
    """`nvnmd`: what DeePMD-kit's input.json has no key for."""

    refused: ClassVar[dict[str, str]] = {
        "version": "this is a key of `dp train-nvnmd`; sizes are set in model.descriptor and model.fitting_net",
        "max_nnei": "this is a key of `dp train-nvnmd`; set model.descriptor.sel",
        "net_size": "this is a key of `dp train-nvnmd`; set model.fitting_net.neuron",
    }

    guard: GuardSettings | bool = True
    optimizer: Literal["soap", "adam"] = Field("soap", description="soap: Adam in Shampoo's axes, fewer steps")
    weight_decay: float = Field(
        0.0,
        ge=0,
        description="share of the weights, times the learning rate, that a step takes away: against overfitting",
    )
    precision: Literal["float32", "float64"] = "float32"
    cache_mb: PositiveFloat = Field(2000.0, description="memory for prepared frames; the rest is prepared when needed")
    validation_fraction: float = Field(
        0.0, ge=0, lt=1, description="without validation_data: hold out this share as blocks of frames"
    )
    max_force: PositiveFloat = Field(100.0, description="largest force in the data taken for real, eV/A")
    check_units: bool = Field(True, description="refuse data whose size says that it is not in eV and eV/A")


class Settings(Section):
    """A whole settings file."""

    model: ModelSettings
    learning_rate: LearningRateSettings = LearningRateSettings()
    loss: LossSettings = LossSettings()
    training: TrainingSettings
    nvnmd: NvnmdSettings = NvnmdSettings()

    @model_validator(mode="after")
    def _steps_left(self) -> Settings:
        warmup, steps = self.learning_rate.warmup_steps, self.training.numb_steps
        if warmup >= steps:
            raise ValueError(
                f"learning_rate.warmup_steps ({warmup}) must be smaller than training.numb_steps ({steps})"
            )
        return self


def parse_settings(data: dict[str, Any]) -> tuple[Settings, list[str]]:
    """Check settings.

    Returns:
        The settings, and notes on keys that have no effect.

    Raises:
        SettingsError: unknown, refused or wrong keys; at least one of each wrong section is named.
    """
    notes: list[str] = []
    try:
        return Settings.model_validate(data, context={"notes": notes}), notes + _resnet_note(data)
    except ValidationError as error:
        raise SettingsError("\n".join(map(problem_text, error.errors()))) from None


def load_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read settings from a JSON or YAML file; see `parse_settings`.

    Raises:
        SettingsError: the file is missing, is neither JSON nor YAML, or holds wrong settings.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read settings from {path}: {str(error.strerror).lower()}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"cannot read settings from {path}: it is not a text file") from None
    try:
        data = _parse_text(text, path.suffix)
    except ValueError as error:
        raise SettingsError(f"{path} is not valid {path.suffix.lstrip('.') or 'JSON'}: {error}") from None
    if not isinstance(data, dict):
        raise SettingsError(f"{path} holds no sections; start from an input.json with model, loss and training")
    try:
        return parse_settings(data)
    except SettingsError as error:
        raise SettingsError(f"{path}: " + str(error).replace("\n", f"\n{path}: ")) from None


def _parse_text(text: str, suffix: str) -> Any:
    if suffix.lower() not in (".yaml", ".yml"):
        return json.loads(text)
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _resnet_note(data: dict[str, Any]) -> list[str]:
    model = data.get("model", {})
    sections = [name for name in ("descriptor", "fitting_net") if model.get(name, {}).get("resnet_dt")]
    reason = "the learned timestep is not part of this model; skip connections have step 1"
    return [f"'resnet_dt' of model.{name} has no effect: {reason}" for name in sections]
