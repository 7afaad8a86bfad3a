"""What every labeler offers, its settings, and how one is made from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from nvnmd.learn.errors import LearnError
from nvnmd.learn.labeled import Labels
from nvnmd.training.section import Section

if TYPE_CHECKING:
    from ase import Atoms

CP2K = "cp2k"


class Kind(Section):
    """What CP2K takes for an element: names in its basis set and potential files."""

    basis: str
    potential: str


class LabelSettings(Section):
    """How frames are labeled."""

    using: str = Field(
        description="cp2k, or a teacher: nep:FILE, nequix:FILE, sevennet:MODEL, or package.module:factory"
    )
    name: str | None = Field(None, description="of the teacher, for the mark of its labels; its own if left out")
    dft: bool = Field(False, description="the calculator is a DFT code, so its labels are marked as such")
    reference: str | None = Field(None, description="frames with the same word share one energy reference")
    options: dict[str, Any] = Field(default_factory=dict, description="arguments of the calculator")
    command: str = Field("cp2k.psmp", description="how CP2K is called; -i FILE is added")
    template: str | None = Field(None, description="CP2K input with @CELL@ and @COORD@; a shipped one if left out")
    kinds: dict[str, Kind] = Field(default_factory=dict, description="basis and potential by element, for CP2K")
    kpoint_spacing: PositiveFloat = Field(0.26, description="largest distance of k-points, 1/A, for @KPOINTS@")
    workers: PositiveInt = Field(1, description="processes, one a core")
    max_minutes: PositiveFloat = Field(120.0, description="a frame that takes longer counts as failed")
    max_failed: float = Field(0.5, gt=0, le=1, description="stop when more than this share of at least 6 failed")
    min_free_mb: PositiveFloat = Field(500.0, description="stop before a frame when less space is left on the disk")
    check_units: bool = Field(True, description="look at the size of labels, and at energy against force once")

    @model_validator(mode="after")
    def _consistent(self) -> LabelSettings:
        if self.using == CP2K and (self.options or self.name):
            raise ValueError("options and name belong to calculators; CP2K takes a template")
        return self


class Labeler(Protocol):
    """Gives labels to one frame after the other.

    Attributes:
        label: "dft" or "teacher:<name>"; reference: word of the energy reference.
    """

    label: str
    reference: str

    def run(self, atoms: Atoms, folder: Path) -> Labels:
        """Label a frame; `folder` is empty and for this frame alone.

        Raises:
            LabelError: this frame has no usable label.
            QueueError: no frame would get one.
        """
        ...


def make_labeler(settings: LabelSettings) -> Labeler:
    """The labeler that the settings describe.

    Raises:
        LearnError: unknown, or a package or program that is not installed; the message says how to get it.
    """
    if settings.using == CP2K:
        from nvnmd.learn.labelers.cp2k import Cp2kLabeler

        return Cp2kLabeler(settings)
    if ":" not in settings.using and "." not in settings.using:
        raise LearnError(
            f"{settings.using!r} labels nothing here; give cp2k, nep:FILE, nequix:FILE, sevennet:MODEL or "
            "package.module:factory"
        )
    from nvnmd.learn.labelers.calculator import CalculatorLabeler

    return CalculatorLabeler(settings)
