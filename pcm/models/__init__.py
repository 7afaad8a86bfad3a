"""Models that come with the package: for which materials, made from what, how near to DFT, good for what.

Each is `NAME.nvnmd` in this folder with its card `NAME.yaml` beside it. A card holds what only a person can say; the
errors against DFT are read from the model file, so that they cannot contradict it. The environment variable
NVNMD_MODELS names a folder of your own with such pairs, which is looked at first.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures import MATERIALS, material

FOLDER = Path(__file__).parent


class Card(BaseModel):
    """What a model card says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    materials: tuple[str, ...] = Field(min_length=1, description="that it was made for, as in MATERIALS")
    summary: str
    data: str = Field(description="frames it was trained on and the level of theory of their labels")
    good_for: tuple[str, ...] = Field(min_length=1)
    not_for: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class PartErrors:
    """Errors of the integer model on one part of the labeled frames ("train", "held out"): RMSE in eV/atom, eV/A."""

    part: str
    frames: int
    energy_rmse: float
    force_rmse: float


@dataclass(frozen=True)
class ShippedModel:
    """A model of the package; name: without ending; type_map: elements that it knows."""

    name: str
    path: Path
    card: Card
    type_map: tuple[str, ...]
    errors: tuple[PartErrors, ...]


def shipped(folder: Path | None = None) -> list[ShippedModel]:
    """The models that are there, by name. Raises PcmError for a model whose card is missing or contradicts it."""
    own = os.environ.get("NVNMD_MODELS")
    folders = [folder] if folder else [*([Path(own)] if own else []), FOLDER]
    return [_read(path) for place in folders for path in sorted(place.glob("*.nvnmd"))]


def model_for(name: str, folder: Path | None = None) -> ShippedModel:
    """The shipped model of a material. Raises PcmError for a material that is not known or has none."""
    material(name)
    found = shipped(folder)
    for model in found:
        if name in model.card.materials:
            return model
    have = ", ".join(dict.fromkeys(m for model in found for m in model.card.materials))
    others = f" (there is one for {have})" if have else ""
    raise PcmError(
        f"no model for {name} is shipped{others}; train one on frames of {name} with nvnmd train and "
        "nvnmd quantize, and give it with --model"
    )


def _read(path: Path) -> ShippedModel:
    header, beside = _header(path), path.with_suffix(".yaml")
    card = _card(beside)
    type_map = tuple(header["type_map"])
    for name in card.materials:
        if name not in MATERIALS or not set(MATERIALS[name].elements) <= set(type_map):
            raise PcmError(f"{beside}: {name} is not a material of {' '.join(type_map)}, the model's elements")
    parts = header.get("provenance", {}).get("errors", {}).get("integer", {}).get("parts", {})
    errors = [PartErrors(part, e["n_frames"], e["energy_rmse"], e["force_rmse"]) for part, e in sorted(parts.items())]
    return ShippedModel(path.stem, path, card, type_map, tuple(errors))


def _header(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return dict(json.loads((file.metadata() or {})["nvnmd"]))
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise PcmError(f"{path}: is no model file ({error}); install the package again") from None


def _card(path: Path) -> Card:
    import yaml

    try:
        return Card.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise PcmError(f"{path}: the model's card cannot be read ({str(error).splitlines()[0]})") from None
