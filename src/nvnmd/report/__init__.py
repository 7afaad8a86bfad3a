"""The report: one HTML file with the figures and numbers of a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from nvnmd.report.errors import ReportError

__all__ = ["ReportError", "write_report"]


def write_report(folder: Path, output: Path | None = None, references: Sequence[str] = ()) -> Path:
    """Write the report of a run folder and return its path, `report.html` in the folder by default.

    references: RDFs to compare with, each `[liquid:|amorphous:]PATH[=LABEL]` (see `nvnmd.report.references`). Parts
    that the folder lacks are named as missing. Raises ReportError for a folder, file or reference that cannot be read.
    """
    from nvnmd.report.page import render_page
    from nvnmd.report.references import read_reference
    from nvnmd.report.run import Run
    from nvnmd.report.sections import SECTIONS
    from nvnmd.training.files import write_text

    run = Run(folder, [read_reference(text) for text in references])
    sections = [section(run) for section in SECTIONS]
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    material = run.md["material"] if run.md else " ".join(run.integer_header["type_map"]) if run.integer_header else ""
    title = f"{material}: from DFT frames to integer molecular dynamics".removeprefix(": ")
    page = render_page(
        title, f"Run folder {folder.resolve().name}, {now}", f"Written by nvnmd {version('nvnmd')}.", sections
    )
    target = output or folder / "report.html"
    try:
        write_text(target, page)
    except OSError as error:
        raise ReportError(f"{target}: cannot be written ({error.strerror}); choose another file with -o") from None
    return target
