"""Reference curves beside those of `nvnmd pcm analyze`: angles, S(q), density, any CSV file, of DFT or experiment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis import curve_difference
from nvnmd.report.blocks import Figure, Missing, Section, Table
from nvnmd.report.errors import ReportError
from nvnmd.report.plots import INK, SERIES, styled, subplots, to_svg
from nvnmd.report.references import PHASES, Phase
from nvnmd.report.run import Run
from nvnmd.report.text import fixed

Floats = NDArray[np.float64]
KINDS = {
    "adf": "density (1/degree)",
    "sq": "S(q)",
    "coordination": "share of the element's atoms",
    "tetrahedral": "density of atoms",
    "rings": "rings per atom",
    "msd": "mean square displacement (Å²)",
    "crystallinity": "crystalline share",
    "density": "density (g/cm³)",
    "viscosity": "viscosity integral (mPa s)",
    "profile": "density (atoms/Å³)",
}
_LINES = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))


@dataclass(frozen=True)
class CurveReference:
    """Curves of one kind from one source; columns: x and y by name, in the units of `analysis/STAGE-KIND.csv`."""

    kind: str
    phase: Phase | None
    label: str
    columns: dict[str, tuple[Floats, Floats]]

    def column(self, name: str, alone: bool) -> tuple[Floats, Floats] | None:
        """The curve of that name, a pair in either order; `alone`: a curve without a name is meant too."""
        turned = "-".join(reversed(name.split("-")))
        return self.columns.get(name) or self.columns.get(turned) or (self.columns.get("") if alone else None)


def curve_kind(text: str) -> str | None:
    """Which kind of curve `[PHASE:][KIND:]PATH[=LABEL]` is: said before the path, or a word of the file's name.

    None for RDFs.
    """
    place = _without_phase(text.partition("=")[0])[1]
    said, _, rest = place.partition(":")
    if rest and said in KINDS:
        return said
    words = re.split(r"[^a-z]+", Path(place).stem.lower())
    return next((kind for kind in KINDS if kind in words), None)


def read_curves(text: str) -> CurveReference:
    """A reference from `[liquid:|amorphous:][KIND:]PATH[=LABEL]`, PATH being a table with the x axis first.

    Columns have the names of ours (elements, pairs as in Ge-Te, total), in their head line; a single column without one
    has the name that stands in the file's name, as in adf-Ge.csv. Raises ReportError where nothing can be read.
    """
    kind = curve_kind(text)
    place, _, label = text.partition("=")
    phase, place = _without_phase(place)
    path = Path(place.removeprefix(f"{kind}:"))
    if kind is None or not path.is_file():
        raise ReportError(f"{path}: there is no such reference; curves other than RDFs are single files")
    names, rows = _table(path)
    if len(names) < rows.shape[1]:
        if rows.shape[1] > 2:
            raise ReportError(f"{path}: its columns have no names; give it a head line such as: x,Ge,Te")
        names = ["x", _name_of(path, kind)]
    columns = {name: (rows[:, 0], rows[:, k]) for k, name in enumerate(names) if k}
    return CurveReference(kind, phase, label or path.name, columns)


def _without_phase(place: str) -> tuple[Phase | None, str]:
    for phase in PHASES:
        if place.startswith(f"{phase}:"):
            return phase, place.removeprefix(f"{phase}:")
    return None, place


def _table(path: Path) -> tuple[list[str], Floats]:
    """Head line, if there is one, and numbers, separated by blanks, commas, semicolons or tabs."""
    head: list[str] = []
    rows: list[list[float]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = [word for word in re.split(r"[,;\s]+", line.strip().lstrip("#")) if word]
        try:
            rows.append([float(word) for word in words])
        except ValueError:
            head = head if rows else words
    rows = [row for row in rows if row]
    if len(rows) < 2 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        raise ReportError(f"{path}: holds no table of numbers with at least two columns and two rows")
    return (head if len(head) == len(rows[0]) else []), np.array(rows)


def _name_of(path: Path, kind: str) -> str:
    words = [word for word in re.split(r"[_ ]|-(?=[a-z])|(?<=[a-z]{2})-", path.stem) if word]
    names = [word for word in words if re.fullmatch(r"([A-Z][a-z]?)(-[A-Z][a-z]?)?|total", word) and word != kind]
    return names[-1] if names else ""


def comparisons(run: Run, references: list[CurveReference]) -> Section:
    """Figures and mean differences of the curves that a run and the references share."""
    section = Section("curves", "Other reference curves")
    for kind in dict.fromkeys(reference.kind for reference in references):
        own = [reference for reference in references if reference.kind == kind]
        shown = [_compare(path, stage, kind, own) for path, stage in _measured(run, kind)]
        blocks = [block for pair in shown if pair for block in pair]
        names = " or ".join(dict.fromkeys(name for reference in own for name in reference.columns if name))
        missing = Missing(f"a curve {names or kind} to compare with {own[0].label}, among", f"analysis/*-{kind}.csv")
        section.blocks += blocks or [missing]
    return section


def _measured(run: Run, kind: str) -> list[tuple[Path, dict[str, str]]]:
    stages = run.md["stages"] if run.md else []
    paths = [(run.folder / "analysis" / f"{stage['name']}-{kind}.csv", stage) for stage in stages]
    return [(path, stage) for path, stage in paths if path.exists()]


def _compare(
    path: Path, stage: dict[str, str], kind: str, references: list[CurveReference]
) -> tuple[Figure, Table] | None:
    fitting = [r for r in references if r.phase in (None, stage["sample"])]
    names, rows = _table(path)
    ours = {name: rows[:, k] for k, name in enumerate(names) if k and name not in ("spread", "error")}
    pairs = [(name, r, found) for name in ours for r in fitting if (found := r.column(name, len(ours) == 1))]
    if not pairs:
        return None
    table = []
    for name, reference, curve in pairs:
        mean, low, high = curve_difference(rows[:, 0], ours[name], *curve)
        table.append([stage["name"], name, reference.label, f"{mean:.4g}", f"{fixed(low)} to {fixed(high)}"])
    heads = ["Stage", "Curve", "Reference", "Mean difference", f"Where both are|{names[0]}"]
    shown = [name for name in ours if any(name == pair[0] for pair in pairs)]
    with styled():
        canvas, axes = subplots(1, len(shown), min(9.6, 4.8 * len(shown)), 3.2, sharex=True)
        for number, (axis, name) in enumerate(zip(axes[0], shown, strict=True)):
            mine = [(reference, curve) for other, reference, curve in pairs if other == name]
            for style, (reference, curve) in zip(_LINES, mine, strict=False):
                axis.plot(*curve, color=INK, linewidth=1.0, linestyle=style, label=reference.label)
            axis.plot(rows[:, 0], ours[name], color=SERIES[number % len(SERIES)], label="integer model")
            axis.set(title=name, xlabel=names[0].replace("_", " "))
            axis.legend()
        axes[0, 0].set_ylabel(KINDS[kind])
        figure = to_svg(canvas, f"{kind} of {stage['name']} beside reference curves")
    caption = f"{stage['name']}, {kind}: colored lines from analysis/{path.name}, dashed ones as given."
    return Figure(figure, caption), Table(heads, table, "", text_columns=(0, 1, 2))
