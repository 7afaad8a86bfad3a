"""`nvnmd simulate`: what a step of a structure costs on the card, simulated cycle by cycle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nvnmd.fpga.configuration import Configuration
    from nvnmd.quantize.integer_model import IntegerModel
    from nvnmd.sim import CardSizes, HostModel

CLOCK_MHZ = {"letter": 222.0, "fast": 250.0, "model": 222.0}
REST_NS = {"pack": 175.0, "unpack": 60.0}
"""What ``--measure-host`` does not measure: the walk along the neighbor list, the sums of forces (``HostModel``)."""
DETAILED_ATOMS = 2000
"""Atoms whose way through the blocks is kept for the timeline."""


def simulate(
    model_file: Annotated[Path, typer.Argument(metavar="MODEL", help="An integer model, *.nvnmd.")],
    structure: Annotated[Path, typer.Argument(metavar="STRUCTURE", help="Any file of atoms that ASE reads.")],
    configuration: Annotated[str, typer.Option(help="letter, fast, or model: lanes chosen for the model.")] = "auto",
    cycles: Annotated[int, typer.Option(help="Cycles an atom may take, for --configuration model.", min=1)] = 59,
    clock_mhz: Annotated[float | None, typer.Option(help="Clock of the card; 222, or 250 for fast.", min=1.0)] = None,
    repeat: Annotated[tuple[int, int, int], typer.Option(help="Copies of the structure along each vector.")] = (
        1,
        1,
        1,
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for report, timeline, pictures.")
    ] = None,
    gb_in: Annotated[float, typer.Option(help="PCIe to the card, GB/s.", min=0.001)] = 9.0,
    gb_out: Annotated[float, typer.Option(help="PCIe from the card, GB/s.", min=0.001)] = 12.0,
    latency_us: Annotated[float, typer.Option(help="Of a transfer, each way.", min=0.0)] = 5.0,
    spike_probability: Annotated[float, typer.Option(help="That a transfer is late.", min=0.0, max=0.99)] = 0.0,
    spike_us: Annotated[float, typer.Option(help="By how much it is late.", min=0.0)] = 100.0,
    threads: Annotated[int, typer.Option(help="Of the host, that pack and unpack.", min=1)] = 12,
    gap_us: Annotated[float, typer.Option(help="Between two transfers on a link.", min=0.0)] = 0.5,
    buffer_atoms: Annotated[int | None, typer.Option(help="Most atoms of a transfer.", min=1)] = None,
    buffers: Annotated[int | None, typer.Option(help="Transfers in flight.", min=1)] = None,
    measure_host: Annotated[bool, typer.Option("--measure-host", help="Time packets on this machine.")] = False,
    waves: Annotated[int, typer.Option(help="Atoms whose waveforms the RTL writes (VCD); needs Verilator.", min=0)] = 0,
    sweep: Annotated[bool, typer.Option("--sweep", help="Sweep II, lanes, clock and neighbors too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Simulate one step of a structure on the card, with PCIe and host around it.

    Prints cycles, seconds and an estimate of energy per atom, what is busy, what bounds the step, and the bytes that
    move, beside the published figures. Nothing of it is measured on a card: cycles are those of the RTL, clocks and
    links are assumptions.

    With --output a folder gets report.json, timeline.json (open it in ui.perfetto.dev), stalls.png, and on request
    sweep.json with front.png and waves.vcd.

    Examples:

        nvnmd simulate model.nvnmd gete.data --configuration letter

        nvnmd simulate model.nvnmd POSCAR --repeat 20 20 20 --output simulated

        nvnmd simulate model.nvnmd POSCAR --output simulated --sweep --waves 20
    """
    import json

    from nvnmd.card_energy import step_energy
    from nvnmd.fpga.plan import predict
    from nvnmd.quantize.model_file import load_model
    from nvnmd.sim import CardSizes, HostModel, Link, simulate_step
    from nvnmd.sim.summary import summarize, text

    model = load_model(model_file)
    name, card = _configuration(model, configuration, cycles)
    clock = clock_mhz or CLOCK_MHZ[name]
    counts = _neighbors(model, structure, repeat)
    costs = _costs(model_file, measure_host, counts)
    sizes = CardSizes.from_parameters(card.parameters)
    late: dict[str, Any] = {"latency_us": latency_us, "gap_us": gap_us}
    late |= {"spike_probability": spike_probability, "spike_us": spike_us}
    links: dict[str, Any] = {"link_in": Link(gb_in, **late), "link_out": Link(gb_out, **late)}
    chosen: dict[str, Any] = {"buffer_atoms": buffer_atoms, "buffers": buffers}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    host = HostModel(**links, **costs, **chosen, threads=threads)
    step = simulate_step(sizes, counts, clock, host)
    found = summarize(sizes, counts, step, host, step_energy(step, predict(card))) | {"configuration": name}
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        _write(output, found, sizes, counts, clock, host, f"{model_file.name}, {name}")
        if sweep:
            _sweep(output, card, host)
        if waves:
            _waves(output / "waves.vcd", model, card, structure, waves)
    typer.echo(json.dumps(found, indent=2) if as_json else text(found, name))


def _configuration(model: IntegerModel, wanted: str, cycles: int) -> tuple[str, Configuration]:
    """A configuration by name; ``auto`` takes a named one that holds the model, and else lanes for the model."""
    from nvnmd.fpga.configuration import configuration_for
    from nvnmd.fpga.errors import FpgaError
    from nvnmd.fpga.plan import named, plan

    if wanted not in ("auto", "model"):
        card = named(wanted)
        card.check(model)
        return wanted, card
    for name in ("letter", "fast") if wanted == "auto" else ():
        try:
            named(name).check(model)
        except FpgaError:
            continue
        return name, named(name)
    return "model", plan(configuration_for(model), cycles)


def _atoms(model: IntegerModel, structure: Path) -> Any:
    """The structure as neighbor words."""
    from nvnmd.pcm.structures import read_structure
    from nvnmd.quantize.packing import pack_frame

    atoms = read_structure(structure, model.type_map)
    types = [model.type_map.index(symbol) for symbol in atoms.get_chemical_symbols()]
    return pack_frame(model, atoms.positions, atoms.cell.array, types, periodic=bool(atoms.pbc.any()))


def _neighbors(model: IntegerModel, structure: Path, repeat: tuple[int, int, int]) -> Any:
    """Neighbors of every atom in the order in which a host sends them: sorted by type, copies behind each other."""
    import numpy as np

    words = _atoms(model, structure)
    copies = int(np.prod(repeat))
    order = np.argsort(words.types, kind="stable")
    counts, types = np.diff(words.first)[order], words.types[order]
    return np.concatenate([np.tile(counts[types == kind], copies) for kind in np.unique(types)])


def _costs(model_file: Path, measure: bool, counts: Any) -> dict[str, Any]:
    """Costs of packing and unpacking on this machine, or those that ``HostModel`` brings."""
    if not measure:
        return {}
    from nvnmd.host._core import time_packets

    most = max(1, int(counts.max()))
    bare, full = (time_packets(str(model_file), neighbors) for neighbors in (0, most))
    costs = {}
    for job, rest in REST_NS.items():
        costs[f"{job}_ns_per_atom"] = rest + 1e9 * bare[f"{job}_s"]
        costs[f"{job}_ns_per_neighbor"] = max(0.0, 1e9 * (full[f"{job}_s"] - bare[f"{job}_s"]) / most)
    return costs


def _write(
    output: Path, found: dict[str, Any], sizes: CardSizes, counts: Any, clock: float, host: HostModel, title: str
) -> None:
    """Report, timeline and picture; the timeline is that of the first atoms alone."""
    from nvnmd.sim import simulate_step
    from nvnmd.sim.pictures import draw_stalls
    from nvnmd.sim.timeline import write_json, write_timeline

    write_json(output / "report.json", found)
    write_timeline(output / "timeline.json", simulate_step(sizes, counts[:DETAILED_ATOMS], clock, host, keep="packets"))
    draw_stalls(output / "stalls.png", found, title)


def _sweep(output: Path, card: Configuration, host: HostModel) -> None:
    """Simulate cards around ``card``: cycles an atom, lanes, clocks, neighbors."""
    from dataclasses import replace

    from nvnmd.fpga.errors import FpgaError
    from nvnmd.fpga.plan import plan, predict
    from nvnmd.sim import CardSizes
    from nvnmd.sim.pictures import draw_front
    from nvnmd.sim.summary import LETTER
    from nvnmd.sim.sweep import Card, sweep
    from nvnmd.sim.timeline import write_json

    def configure(target: int, lanes: int) -> Card | None:
        try:
            found = plan(card, target, neighbors=1, fixed={"neighbor_lanes": lanes})
        except FpgaError:
            return None
        return Card(CardSizes.from_parameters(found.parameters), sum(predict(found).dsp.values()))

    fast = replace(host, threads=64, buffers=128)  # so that the host is not what the sweep shows
    points = sweep(configure, (8, 12, 15, 22, 32, 43, 60), (1, 2, 4), (200.0, 222.0, 250.0), (16, 29, 48), fast)
    write_json(output / "sweep.json", points)
    draw_front(output / "front.png", points, LETTER["Ge2Sb2Te5"]["seconds_per_step_per_atom"])


def _waves(path: Path, model: IntegerModel, card: Configuration, structure: Path, atoms: int) -> None:
    """Waveforms of the RTL with the first atoms of the structure."""
    from itertools import islice

    import numpy as np

    from nvnmd.fpga.waveforms import record
    from nvnmd.sim import CardSizes, packets, simulate_card
    from nvnmd.sim.card import packet_beats

    def predict(load: list[tuple[int, int]], neighbors: list[int]) -> tuple[int, int]:
        kinds, words = np.array([*load, *((1, n) for n in neighbors)]).T
        sizes = CardSizes.from_parameters(card.parameters, loaded=False)
        trace = simulate_card(sizes, packets(kinds, 0, words, packet_beats(words), kinds == 4))
        return int(trace.packets[len(load) - 1, 2]), trace.bus_out

    typer.echo(f"{path}: building and running the RTL; a large card takes minutes", err=True)
    record(path, model, card, list(islice(_atoms(model, structure).atoms(), atoms)), predict)
