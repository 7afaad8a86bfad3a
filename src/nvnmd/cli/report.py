"""`nvnmd report`: one HTML page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Run folder with train/, quantize/, evaluate/ and md/.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write.", show_default="RUN/report.html")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            "--reference", "-r", help="RDFs to compare with: [liquid:|amorphous:]PATH[=LABEL]; may be repeated."
        ),
    ] = None,
) -> None:
    """Write one self-contained HTML page with the pictures and figures of a run.

    Learning curves, parity against DFT of the float and the integer model, where the error of quantization comes from,
    saturation, the traces of the molecular dynamics, RDFs and coordination of the liquid and the glass, pictures of the
    structure, speed, and the commands to do it again. What the folder lacks is named as missing.

    A reference is a text or CSV file of r and g named after its pair (Ge-Te.csv), a folder of such files, or frames,
    whose own RDF is then drawn: that of whatever moved their atoms, which need not be what labeled them.

    Examples:

        nvnmd report run

        nvnmd report run -r amorphous:aimd/rdf=AIMD -r liquid:frames.extxyz -o gete.html
    """
    from nvnmd.report import write_report

    typer.echo(f"report: {write_report(run, output, reference or [])}")
