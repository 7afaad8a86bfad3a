"""Settings of the loop: a YAML file with what to train, where to look, what to choose and who labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt, ValidationError, field_validator, model_validator

from nvnmd.learn.errors import LearnError
from nvnmd.learn.items import Item, for_elements, parse_items, read_recipe
from nvnmd.learn.labelers import LabelSettings
from nvnmd.learn.uncertainty import Measure
from nvnmd.training.errors import problem_text
from nvnmd.training.section import Section

LEVELS: dict[Measure, tuple[float, float]] = {"deviation": (0.1, 1.0), "gamma": (2.0, 25.0)}
"""Levels between which frames are chosen, where the settings give none."""


class Again(Section):
    """`train.again`: how a model goes on from the one of the round before."""

    numb_steps: PositiveInt
    start_lr: PositiveFloat | None = None


class TrainPart(Section):
    """`train`."""

    settings: str | dict[str, Any] = Field(description="settings of nvnmd train, a file or written here; without data")
    again: Again | None = Field(None, description="later rounds start from the model before; left out, from nothing")
    threads: int = Field(1, ge=0, description="of training and quantizing")
    device: str = "cpu"


class QuantizePart(Section):
    """`quantize`."""

    steps: int = Field(200, ge=0, description="of fine-tuning; 0 only rounds")
    max_neighbors: int = Field(96, ge=0, description="most neighbors of an atom, with room for dense structures")


class SelectPart(Section):
    """`select`."""

    by: Measure = "deviation"
    low: PositiveFloat | None = Field(None, description="below this a frame is known well enough; see LEVELS")
    high: PositiveFloat | None = Field(None, description="from this on a frame is taken for unphysical; see LEVELS")
    most: PositiveInt = Field(40, description="frames a round, of all items without a limit of their own")
    least: int = Field(0, ge=0, description="frames a round even if fewer lie between the levels")
    known: PositiveInt = Field(400, description="known frames that new ones are compared with, evenly spread")

    @model_validator(mode="after")
    def _in_order(self) -> SelectPart:
        low, high = self.levels
        if not low < high:
            raise ValueError(f"low ({low:g}) must be below high ({high:g})")
        return self

    @property
    def levels(self) -> tuple[float, float]:
        """Lower and upper level, eV/angstrom for the deviation and without unit for the grade."""
        low, high = LEVELS[self.by]
        return self.low or low, self.high or high


class RecipePart(Section):
    """`recipe`."""

    name: str
    scale: PositiveFloat = Field(1.0, description="factor of all its counts")


class LearnSettings(Section):
    """The whole file."""

    elements: list[str] = Field(min_length=1)
    rounds: PositiveInt = 3
    seed: int = Field(1, ge=0)
    data: list[str] = Field(default_factory=list, description="labeled frames to begin with")
    validation: list[str] = Field(default_factory=list, description="labeled frames that are only tested on")
    mix_labels: bool = Field(False, description="train on teachers' and DFT labels together, each marked")
    train: TrainPart
    committee: PositiveInt = Field(2, description="float models, from different seeds; the first is quantized")
    quantize: QuantizePart = QuantizePart()
    start: list[dict[str, Any]] = Field(default_factory=list, description="structures labeled before the first round")
    explore: list[dict[str, Any]] = Field(default_factory=list, description="what every round looks at")
    recipe: RecipePart | None = Field(None, description="takes the place of start and explore, round by round")
    select: SelectPart = SelectPart()
    label: LabelSettings
    stop_below: float = Field(0.0, ge=0, lt=1, description="end when a smaller share of frames lies above select.low")

    @field_validator("elements")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        from ase.data import atomic_numbers

        for element in value:
            if atomic_numbers.get(element, 0) == 0:
                raise ValueError(f"{element!r} is not the symbol of an element")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> LearnSettings:
        if (self.recipe is not None) == bool(self.explore or self.start):
            raise ValueError("say where to look: either start and explore, or a recipe")
        if self.select.by == "deviation" and self.committee < 2:
            raise ValueError("select.by deviation needs committee: 2 or more")
        if not self.data and not self.items(0):
            raise ValueError("there is nothing to begin with; give data, or structures under start")
        if not self.items(1):
            raise ValueError("explore is empty, so that rounds would bring nothing new")
        if any(item.test for item in self.items(0)):
            raise ValueError("structures under start are trained on; test belongs to items under explore")
        return self

    def items(self, number: int) -> tuple[Item, ...]:
        """Items of a round; 0 is what is labeled before the first."""
        if self.recipe is None:
            return parse_items(self.start if number == 0 else self.explore, "explore" if number else "start")
        iterations = list(read_recipe(self.recipe.name).iterations.values())
        return for_elements(iterations[min(number, len(iterations) - 1)], self.elements, self.recipe.scale)


def read_learn_settings(path: Path) -> LearnSettings:
    """Settings from a YAML file.

    Raises:
        LearnError: a file that cannot be read, an unknown key (with the nearest known one) or a bad value.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LearnError(f"{path}: cannot be read as settings ({error})") from None
    if not isinstance(data, dict):
        raise LearnError(f"{path}: holds no settings; start from examples/gete-learn/settings.yaml")
    try:
        return LearnSettings.model_validate(data)
    except ValidationError as error:
        raise LearnError(f"{path}: {problem_text(error.errors()[0])}") from None
