"""`nvnmd pcm`: protocols of phase-change memory, structures, analyses, reports and films."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nvnmd.cli import CONTEXT, STYLE, help_text

Setting = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting of the protocol as KEY=VALUE (YAML value); may be repeated."),
]
Run = Annotated[Path, typer.Argument(help="Folder of a run.")]

REFERENCE = typer.Option(
    "--reference", "-r", help="Curves to compare with, [liquid:|amorphous:][KIND:]PATH[=LABEL]; may be repeated."
)
FILES = typer.Option("--files", help="Folder for figures, curves and numbers as files, with a page in Markdown.")

HELP = """
Phase-change memory: protocols in LAMMPS, structures, analyses, reports and films.

Each protocol writes a complete LAMMPS input, runs it, measures its sampled stages and ends in report.html; the same
command goes on after Ctrl-C or a crash. `--dry-run` shows every setting, for --settings or --set.

Examples:

    nvnmd pcm melt-quench --material GeTe --atoms 4096 -m model.nvnmd

    nvnmd pcm reset --set energy_fJ=0.05 --set repeats='[16, 5, 10]' -m model.nvnmd

    nvnmd pcm build cell.data --material GeSb2Te4 --form cross-point
"""

app = typer.Typer(**STYLE, no_args_is_help=True, context_settings=CONTEXT, help=help_text(HELP))


def _protocol_command(name: str, summary: str) -> None:
    """Add the command of a protocol; its settings are known only when it is called."""

    def run(
        model: Annotated[
            Path | None, typer.Option("--model", "-m", help="Integer model file (*.nvnmd); a shipped one if left out.")
        ] = None,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Folder of the run; the protocol's name if left out.")
        ] = None,
        material: Annotated[str | None, typer.Option(help="Sb, GeTe, Sb2Te3, GeSb2Te4 or Ge2Sb2Te5.")] = None,
        atoms: Annotated[int | None, typer.Option(help="At least this many atoms.")] = None,
        settings: Annotated[Path | None, typer.Option("--settings", "-s", help="YAML file with the protocol.")] = None,
        values: Setting = None,
        ranks: Annotated[int, typer.Option("--ranks", "-n", help="MPI ranks.")] = 1,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a complete or a different run.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show settings and stages, run nothing.")] = False,
        inputs_only: Annotated[bool, typer.Option("--inputs-only", help="Write the LAMMPS input only.")] = False,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Run pulses that would evaporate the cell.")] = False,
        no_report: Annotated[bool, typer.Option("--no-report", help="Skip analysis and report.")] = False,
        minutes: Annotated[float | None, typer.Option(help="Stop in order after this wall time.")] = None,
        reference: Annotated[list[str] | None, REFERENCE] = None,
        files: Annotated[Path | None, FILES] = None,
    ) -> None:
        from nvnmd.cli.pcm_run import run_protocol
        from nvnmd.cli.values import key_values

        shared = {"material": material, "atoms": atoms} | key_values(values, "pulses=10")
        options: dict[str, Any] = {
            "ranks": ranks,
            "overwrite": overwrite,
            "dry_run": dry_run,
            "inputs_only": inputs_only,
            "minutes": minutes,
        }
        options |= {"yes": yes, "report": not no_report, "files": files}
        folder = output or Path(name)
        run_protocol(name, settings, shared, model, folder, references=reference or [], **options)

    app.command(name, help=summary)(run)


SUMMARIES = {
    "melt-quench": "Melt, quench at one or several rates, sample the glass.",
    "heat": "Heat crystals of several sizes through melting (NVT, NPT or NVE).",
    "crystallize": "Grow a crystal from a seed, or wait for nuclei.",
    "set-pulses": "Cumulative SET: a train of short, warm pulses.",
    "reset": "RESET of a device cell by a pulse of energy, then its dissipation.",
    "cycle": "Cycle between liquid, glass and crystal.",
    "interface": "Crystal beside liquid at several temperatures: melting point and growth velocity.",
    "viscosity": "Liquids with their stress, for Green-Kubo viscosities.",
}
for _name, _summary in SUMMARIES.items():
    _protocol_command(_name, _summary)


@app.command()
def run(
    settings: Annotated[Path, typer.Argument(help="Settings of a run (md.yaml), as --dry-run shows them.")],
    model: Annotated[Path | None, typer.Option("--model", "-m", help="Integer model file.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")] = Path("pcm"),
    ranks: Annotated[int, typer.Option("--ranks", "-n", help="MPI ranks.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a complete or a different run.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Skip analysis and report.")] = False,
    reference: Annotated[list[str] | None, REFERENCE] = None,
    files: Annotated[Path | None, FILES] = None,
) -> None:
    """Run settings with stages of your own; every protocol's --dry-run shows such a file to start from."""
    from nvnmd.cli.pcm_run import run_one, write_run_report
    from nvnmd.pcm.settings import read_settings

    if run_one(model, read_settings(settings), output, ranks, overwrite) and not no_report:
        write_run_report(output, reference or [], files)


@app.command()
def models() -> None:
    """List the models that come with the package: materials, errors against DFT, what they are good for and not."""
    from nvnmd.pcm.models import FOLDER, shipped

    found = shipped()
    for model in found:
        card = model.card
        typer.echo(f"{model.name}: {', '.join(card.materials)}; {card.summary}\n  {model.path}\n  data: {card.data}")
        for part in model.errors:
            errors = f"{1000 * part.energy_rmse:.1f} meV/atom, {1000 * part.force_rmse:.0f} meV/A"
            typer.echo(f"  RMSE, {part.part}, {part.frames} frames: {errors}")
        for title, texts in (("good for", card.good_for), ("not for", card.not_for)):
            typer.echo(f"  {title}: {'; '.join(texts)}")
    if not found:
        typer.echo(f"no model is in {FOLDER}")


@app.command()
def build(
    output: Annotated[Path, typer.Argument(help="LAMMPS data file to write.")],
    material: Annotated[str, typer.Option(help="Sb, GeTe, Sb2Te3, GeSb2Te4 or Ge2Sb2Te5.")] = "GeTe",
    form: Annotated[
        str, typer.Option(help="rocksalt, rhombohedral, trigonal, a7, random, cross-point, mushroom or confined.")
    ] = "rocksalt",
    atoms: Annotated[int, typer.Option(help="At least this many atoms.")] = 512,
    repeats: Annotated[tuple[int, int, int] | None, typer.Option(help="Cells along x, y, z, instead of atoms.")] = None,
    density: Annotated[float | None, typer.Option(help="Atoms/A^3.")] = None,
    antisites: Annotated[float, typer.Option(help="Share of cations that swap places with anions.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 2026,
) -> None:
    """Build a crystal, a random packing or a device cell and write it as a LAMMPS data file."""
    from nvnmd.pcm.settings import read_settings
    from nvnmd.pcm.start import prepare
    from nvnmd.pcm.structures import material as known
    from nvnmd.pcm.structures import write_data

    chosen = {"material": material, "start": form, "atoms": atoms, "repeats": repeats, "antisites": antisites}
    prepared = prepare(read_settings(None, **chosen, density_per_A3=density, seed=seed))
    write_data(output, prepared.atoms, known(material).elements)
    size = " x ".join(f"{x / 10:.2f}" for x in prepared.atoms.cell.lengths())
    typer.echo(f"{output}: {len(prepared.atoms):,} atoms, {size} nm^3, {prepared.atoms.get_chemical_formula()}")
    for name, region in prepared.regions.items():
        still = "  (fixed)" if name in prepared.frozen else ""
        typer.echo(f"  region {name}: {region.model_dump_json(exclude_none=True)}{still}")


@app.command()
def analyze(
    folder: Run,
    stage: Annotated[list[str] | None, typer.Option("--stage", help="Stages; the sampled ones if left out.")] = None,
) -> None:
    """Measure structure, order and motion in stages of a run; writes analysis/*.json and *.csv beside it."""
    from nvnmd.cli.pcm_run import analyze_run

    for path in analyze_run(folder, stage):
        typer.echo(f"analysis: {path}")


@app.command()
def report(
    folder: Run,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
    reference: Annotated[list[str] | None, REFERENCE] = None,
    files: Annotated[Path | None, FILES] = None,
) -> None:
    """Write one HTML page with the figures and numbers of a run, or of a series of runs."""
    from nvnmd.cli.pcm_run import write_series
    from nvnmd.report.pcm import write_pcm_report

    if not (folder / "md.json").exists() and len(list(folder.glob("*/md.json"))) > 1:
        write_series(folder, files)
    else:
        typer.echo(f"report: {write_pcm_report(folder, output, reference or [], files)}")


@app.command()
def film(
    dump: Annotated[Path, typer.Argument(help="Trajectory of a stage (*.lammpstrj).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Film to write, .gif or .mp4.")] = Path("film.gif"),
    color: Annotated[Literal["element", "order", "temperature"], typer.Option(help="What colors say.")] = "order",
    frames: Annotated[int, typer.Option(help="At most so many frames, evenly spread.")] = 40,
    size: Annotated[int, typer.Option(help="Pixels on the longer side.")] = 480,
    view: Annotated[tuple[float, float], typer.Option(help="Azimuth and elevation in degrees; 0 0: along y.")] = (
        0,
        0,
    ),
    hot: Annotated[float, typer.Option(help="Temperature in K of the brightest color.")] = 1500.0,
    renderer: Annotated[Literal["own", "ovito"], typer.Option(help="Who draws.")] = "own",
) -> None:
    """Make a film of a stage, colored by element, crystalline order or temperature."""
    from nvnmd.pcm.analyze import spread_frames
    from nvnmd.pcm.errors import PcmError
    from nvnmd.pcm.pictures import film as write_film
    from nvnmd.pcm.pictures import picture

    if not dump.is_file():
        raise PcmError(f"{dump}: there is no such trajectory")
    found = spread_frames(dump, frames)
    pngs = (picture(frame, color, size, view, renderer, hot) for frame in found)
    typer.echo(f"film: {write_film(pngs, output)}")
