"""The settings of each training: those of the user with data, seeds and, in later rounds, fewer steps."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nvnmd.learn.errors import LearnError
from nvnmd.learn.settings import Again, LearnSettings, TrainPart
from nvnmd.training.settings import SettingsError, parse_settings


def read_template(part: TrainPart, base: Path) -> dict[str, Any]:
    """The user's settings of training as they stand in the file, or in the loop's own.

    Raises:
        LearnError: the file cannot be read.
    """
    if isinstance(part.settings, dict):
        return copy.deepcopy(part.settings)
    path = base / part.settings
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() in (".yaml", ".yml"):
            import yaml

            data = yaml.safe_load(text)
        else:
            data = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise LearnError(f"{path}: cannot be read as settings of training ({error})") from None
    except Exception as error:  # of either parser
        raise LearnError(f"{path}: is no valid settings file ({error})") from None
    if not isinstance(data, dict):
        raise LearnError(f"{path}: holds no sections; start from an input.json with model, loss and training")
    return data


def training_input(
    template: dict[str, Any], settings: LearnSettings, systems: Sequence[str], seed: int, again: Again | None
) -> dict[str, Any]:
    """Settings of one training.

    Args:
        template: of the user.
        settings: of the loop.
        systems: to train on.
        seed: of this training.
        again: how it goes on from another model; None: it starts from nothing.

    Raises:
        LearnError: naming the key that is wrong.
    """
    data = copy.deepcopy(template)
    model, training = data.setdefault("model", {}), data.setdefault("training", {})
    model["type_map"] = list(settings.elements)
    for section in ("descriptor", "fitting_net"):
        model.setdefault(section, {})["seed"] = seed
    training["training_data"] = training.get("training_data", {}) | {"systems": list(systems)}
    training.pop("validation_data", None)
    training["seed"] = seed
    if again is not None:
        training["numb_steps"] = again.numb_steps
        training.pop("stop_batch", None)
        if again.start_lr is not None:
            data.setdefault("learning_rate", {})["start_lr"] = again.start_lr
    try:
        parse_settings(data)
    except SettingsError as error:
        raise LearnError(f"train.settings: {str(error).splitlines()[0]}") from None
    return data
