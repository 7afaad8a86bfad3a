"""The report of one phase-change run: its stages, structure, pulses, maps and pictures on one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from nvnmd.report.blocks import Missing, Section
from nvnmd.report.curves import comparisons, curve_kind, read_curves
from nvnmd.report.errors import ReportError
from nvnmd.report.keep import keep
from nvnmd.report.page import render_page
from nvnmd.report.pcm_device import device
from nvnmd.report.pcm_measures import glass, overview
from nvnmd.report.references import read_reference
from nvnmd.report.run import Run
from nvnmd.report.sections.dynamics import dynamics
from nvnmd.report.sections.structure import structure
from nvnmd.training.files import write_text

SECTIONS: list[Callable[[Run], Section]] = [overview, dynamics, device, structure, glass]


class FolderRun(Run):
    """A folder that is the molecular dynamics itself, not one that holds it as `md/`."""

    def path(self, name: str) -> Path:
        """A file of the run; `md/` stands for the folder."""
        return self.folder / name.removeprefix("md/")


def write_pcm_report(
    folder: Path, output: Path | None = None, references: Sequence[str] = (), files: Path | None = None
) -> Path:
    """Write the page of a run of `nvnmd pcm` and return its path, `report.html` in the folder by default.

    references: RDFs, as for `write_report`, and other curves (`nvnmd.report.curves`) to compare with. files: a folder
    that takes figures, curves and numbers as files too. Raises ReportError for a folder without a run, and for a file
    or reference that cannot be read.
    """
    curves = [read_curves(text) for text in references if curve_kind(text)]
    run = FolderRun(folder, [read_reference(text) for text in references if not curve_kind(text)])
    if run.md is None:
        raise ReportError(f"{folder}: there is no run here (md.json); start one with nvnmd pcm")
    made = [make(run) for make in SECTIONS]
    # A section that has nothing but what is missing is not about this kind of run.
    sections = [section for section in made if any(not isinstance(block, Missing) for block in section.blocks)]
    sections += [section for section in [comparisons(run, curves)] if section.blocks]
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    title = f"{run.md['material']}: {run.md['atoms']:,} atoms, {run.md['stages'][-1]['name']}"
    subtitle = f"Run folder {folder.resolve().name}, {run.md['status']}, {now}"
    target = output or folder / "report.html"
    try:
        write_text(target, render_page(title, subtitle, f"Written by nvnmd {version('nvnmd')}.", sections))
    except OSError as error:
        raise ReportError(f"{target}: cannot be written ({error.strerror}); choose another file with -o") from None
    if files is not None:
        keep(files, folder, title, subtitle, sections)
    return target
