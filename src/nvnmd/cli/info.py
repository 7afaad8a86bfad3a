"""`nvnmd info`: what is in a data set or in a model file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

MODEL_ENDINGS = {".nvnmd": "integer", ".safetensors": "float"}


def info(
    paths: Annotated[list[str], typer.Argument(help="A model file, or files, folders and patterns with frames.")],
    rcut: Annotated[float, typer.Option(help="Cutoff in A for neighbors and shortest distances.", min=0.1)] = 6.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    max_force: Annotated[float, typer.Option(help="Largest force taken for real, eV/A.")] = 100.0,
    check_units: Annotated[
        bool, typer.Option("--check-units/--no-check-units", help="Refuse labels that look like other units.")
    ] = True,
) -> None:
    """Say what is in a data set, or in a model file.

    Data: frames, atoms, composition, range of energy and force, virials, pressure, shortest distance by pair, neighbors
    within the cutoff, and whether consecutive frames are correlated. Reads deepmd/npy and deepmd/raw folders, extended
    XYZ, CP2K output, VASP OUTCAR and vasprun.xml; folders are searched with all that is below them.

    Model: the card of a float model (*.safetensors) or of an integer model (*.nvnmd): elements, sizes, cutoffs, number
    formats, and what it was trained on.

    Examples:

        nvnmd info data/gete-cp2k

        nvnmd info "runs/*/OUTCAR" --rcut 8 --json

        nvnmd info model.nvnmd
    """
    kind = MODEL_ENDINGS.get(Path(paths[0]).suffix) if len(paths) == 1 else None
    if kind is not None:
        from nvnmd.quantize.provenance import model_card

        card = model_card(Path(paths[0])) if kind == "integer" else _float_card(Path(paths[0]))
        typer.echo(json.dumps(card, indent=2)) if as_json else _show_card(card)
        return
    from nvnmd.training.frames import load_systems
    from nvnmd.training.summary import data_summary

    summary = data_summary(load_systems(paths, max_force=max_force, check_units=check_units), rcut)
    typer.echo(json.dumps(summary, indent=2)) if as_json else _show_data(summary)


def _float_card(path: Path) -> dict[str, Any]:
    import dataclasses

    from nvnmd.training.files import file_digest
    from nvnmd.training.model_file import load_model, read_provenance

    model = load_model(path)
    return {
        "file": path.name,
        "kind": "float",
        "sha256": file_digest(path),
        **dataclasses.asdict(model.shape),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "precision": str(next(model.parameters()).dtype).removeprefix("torch."),
        "fitting_multiplications": sum(w.shape[1] * w.shape[2] for w in model.fitting.weights),
        "energy_shifts": model.energy_shifts.tolist(),
        "provenance": read_provenance(path),
    }


def _show_card(card: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{card['file']} ({card['kind']} model)", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    units = {"rcut": " A", "rcut_smth": " A", "table_start": " A", "force_lsb": " eV/A", "energy_shifts": " eV"}
    for key, value in card.items():
        if key in ("file", "kind", "provenance", "formats"):
            continue
        shown = ", ".join(map(_short, value)) if isinstance(value, (list, tuple)) else _short(value)
        table.add_row(key.replace("_", " "), shown + units.get(key, ""))
    table.add_section()
    for key, value in _origin(card["provenance"]).items():
        table.add_row(key, value)
    Console().print(table)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _origin(provenance: dict[str, Any]) -> dict[str, str]:
    """The readable lines of a provenance; `--json` has all of it."""
    lines: dict[str, str] = {}
    for key, value in provenance.items():
        if key in ("training_data", "validation_data") and isinstance(value, list):
            frames = sum(entry.get("frames", 0) for entry in value)
            names = ", ".join(str(entry.get("name")) for entry in value[:4]) + ", ..." * (len(value) > 4)
            lines[key.replace("_", " ")] = f"{frames} frames: {names}" if value else "none"
        elif key == "errors" and isinstance(value, dict):
            lines |= _error_lines(value)
        elif isinstance(value, (str, int, float)):
            lines[key] = _short(value)
        elif isinstance(value, dict) and key != "settings":
            lines |= {f"{key}: {inner}": text for inner, text in _origin(value).items()}
    return lines or {"provenance": "not recorded"}


def _error_lines(errors: dict[str, Any]) -> dict[str, str]:
    """RMSE by part of the data, as an integer model keeps them of itself and of the float model."""
    return {
        f"RMSE {part}, {kind} model": f"energy {1000 * row['energy_rmse']:.2f} meV/atom, "
        f"force {1000 * row['force_rmse']:.1f} meV/A ({row['n_frames']} frames)"
        for kind, measured in errors.items()
        for part, row in measured["parts"].items()
    }


def _show_data(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"neighbors and distances within {summary['rcut']:g} A")
    table.add_column("system")
    table.add_column("atoms")
    for name in (
        "frames",
        "energy\neV/atom",
        "force\nrms",
        "\nmax",
        "virial",
        "pressure\nGPa",
        "neighbors\nmean",
        "\nmax",
    ):
        table.add_column(name, justify="right")
    table.add_column("shortest distances, A")
    for row in summary["systems"]:
        table.add_row(*_data_row(row))
    # Piped output has no width of its own; rich would wrap it at 80 columns.
    console = Console() if Console().is_terminal else Console(width=180)
    console.print(table)
    whole = summary["all"]
    console.print(
        f"{whole['n_frames']} frames, {whole['n_environments']} atomic environments of {', '.join(whole['elements'])}; "
        f"{whole['frames_with_virial']} frames with virial; "
        f"forces {whole['force_rms']:.3f} rms, {whole['force_max']:.2f} max eV/A"
    )
    if len(whole["datasets"]) > 1:
        console.print(f"{len(whole['datasets'])} energy references, each with shifts of its own: {whole['datasets']}")
    for text, names in _warnings(summary).items():
        console.print(
            f"{text} ({', '.join(names[:3])}{f' and {len(names) - 3} more' * (len(names) > 3)})", style="yellow"
        )


def _data_row(row: dict[str, Any]) -> list[str]:
    def span(key: str, digits: int) -> str:
        low, high = row[f"{key}_min"], row[f"{key}_max"]
        return "-" if low is None else f"{low:.{digits}f} .. {high:.{digits}f}"

    return [
        row["name"],
        row["formula"],
        str(row["n_frames"]),
        span("energy", 3),
        f"{row['force_rms']:.3f}",
        f"{row['force_max']:.2f}",
        "yes" if row["virial"] else "no",
        span("pressure", 1),
        f"{row['neighbors_mean']:.1f}",
        str(row["neighbors_max"]),
        ", ".join(f"{pair} {distance:.2f}" for pair, distance in row["shortest"].items()),
    ]


def _warnings(summary: dict[str, Any]) -> dict[str, list[str]]:
    """Systems by warning, so that the same sentence is not printed for each; numbers in it are of the first."""
    found: dict[str, tuple[str, list[str]]] = {}
    for row in summary["systems"]:
        for text in row["warnings"]:
            found.setdefault(text.split(":")[0], (text, []))[1].append(row["name"])
    return dict(found.values())
