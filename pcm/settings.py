"""Reading and writing of run settings, with errors that name the file, the key and the nearest known one."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.protocol import DeviceSettings, MdSettings, Output
from nvnmd.pcm.protocols import PROTOCOLS, Protocol
from nvnmd.pcm.pulse import Dissipation, Gradient, Heat
from nvnmd.pcm.stage import Barostat, Stage, Thermostat, Until


def read_settings(path: Path | None, **overrides: Any) -> MdSettings:
    """Settings from a YAML file (all defaults where None); overrides that are not None win over the file.

    Raises PcmError for a file that cannot be read, an unknown key (with the nearest known one) or a bad value.
    """
    values = _load_yaml(path) if path is not None else {}
    values |= {key: value for key, value in overrides.items() if value is not None}
    try:
        return MdSettings.model_validate(values)
    except ValidationError as error:
        raise PcmError(f"{path or 'md settings'}: {_explain(error)}") from None


def read_protocol(name: str, path: Path | None, **overrides: Any) -> Protocol:
    """Settings of a protocol by its name, from a YAML file or the defaults; overrides that are not None win.

    Raises PcmError for a protocol that is not known, and like `read_settings`.
    """
    if name not in PROTOCOLS:
        raise PcmError(f"protocol {name!r} is not known; known: {', '.join(PROTOCOLS)}")
    values = _load_yaml(path) if path is not None else {}
    values |= {key: value for key, value in overrides.items() if value is not None}
    try:
        return PROTOCOLS[name].model_validate(values)
    except ValidationError as error:
        raise PcmError(f"{path or f'{name} settings'}: {_explain(error, PROTOCOLS[name])}") from None


def protocol_runs(protocol: Protocol) -> dict[str, MdSettings]:
    """The runs of a protocol; raises PcmError where its settings make no run."""
    try:
        return protocol.runs()
    except ValidationError as error:
        raise PcmError(f"{type(protocol).__name__}: {_explain(error)}") from None


def write_settings(settings: BaseModel) -> str:
    """The settings as YAML text, every key with its value in force."""
    import yaml

    return str(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False))


def _load_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PcmError(f"{path}: cannot be read as YAML settings ({error}).") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise PcmError(f"{path}: holds a {type(values).__name__}; settings are a mapping such as 'atoms: 512'")
    return values


def _known_keys(location: tuple[int | str, ...], whole: type[BaseModel]) -> list[str]:
    section = next((part for part in reversed(location[:-1]) if isinstance(part, str)), None)
    models: dict[str | None, type[BaseModel]] = {
        None: whole, "stages": Stage, "thermostat": Thermostat, "barostat": Barostat, "output": Output,
        "device": DeviceSettings, "heat": Heat, "gradient": Gradient, "dissipate": Dissipation, "until": Until,
    }  # fmt: skip
    return list(models.get(section, whole).model_fields)


def _explain(error: ValidationError, whole: type[BaseModel] = MdSettings) -> str:
    """One problem of a validation, an unknown key before others, as a sentence with the key's path."""
    first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        message = first["msg"].removeprefix("Value error, ")
        return f"{where}: {message}" if where else message
    known = _known_keys(first["loc"], whole)
    near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    return f"unknown key {where!r}; {hint}"
