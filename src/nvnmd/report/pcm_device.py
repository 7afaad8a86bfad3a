"""Section of a phase-change report on pulses: temperature and crystallinity in space, over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nvnmd.pcm import plots
from nvnmd.pcm.analysis import FieldMap, atom_temperatures, crystal_order, field_map, profile
from nvnmd.pcm.analyze import spread_frames
from nvnmd.pcm.pictures import atom_colors, film, picture
from nvnmd.pcm.render import render
from nvnmd.pcm.trajectory import Snapshot
from nvnmd.report.blocks import Figure, Pictures, Section
from nvnmd.report.plots import png_image, styled, subplots, to_svg
from nvnmd.report.run import Run

MAX_MAPS = 6
MAX_ORDER_ATOMS = 1_000_000
LIFT_A = 2.0
FILM_FRAMES = 16
FILM_ATOMS = 60_000
SLICE_A = 30.0


def device(run: Run) -> Section:
    """Maps, profiles and a film of the stages that stored velocities."""
    section = Section("pulse", "Pulse and dissipation")
    if run.md is None:
        return section
    timestep_ps = run.md["settings"]["timestep_fs"] / 1000
    moving: list[Snapshot] = []
    last: Snapshot | None = None
    for stage in run.md["stages"]:
        path = run.path(f"md/{stage['file']}")
        if not path.exists() or not path.stat().st_size:
            continue
        frames = [_lifted(frame) for frame in spread_frames(path, MAX_MAPS)]
        if not frames or frames[0].velocities is None:
            continue
        caption = f"{stage['name']}: temperature of the atoms that move, in the plane of x and z, smoothed over 1 nm. "
        caption += f"z starts {LIFT_A / 10:g} nm below the cell."
        section.blocks.append(Figure(_maps(stage["name"], frames, timestep_ps), caption))
        along = f"{stage['name']}: means over slabs along z, temperature and share of crystalline atoms (q4)."
        section.blocks.append(Figure(_profiles(stage["name"], frames, timestep_ps), along))
        if run.md["atoms"] <= FILM_ATOMS:
            moving += [_lifted(frame) for frame in spread_frames(path, FILM_FRAMES)]
        else:
            last = frames[-1]
    if moving:
        section.blocks.append(_film(run, moving))
    elif last is not None and run.md["atoms"] <= MAX_ORDER_ATOMS:
        section.blocks.append(_stills(last, timestep_ps))
    return section


def _lifted(frame: Snapshot) -> Snapshot:
    """The frame moved up by LIFT_A, so that atoms that swing below the lower face stay beside their neighbors."""
    return replace(frame, positions=frame.positions + np.array([0.0, 0.0, LIFT_A]))


def _movers(frame: Snapshot) -> Snapshot:
    """The atoms that move: those that stand still have no temperature."""
    if frame.velocities is None:
        return frame
    move = (frame.velocities != 0).any(axis=1)
    return Snapshot(frame.positions[move], frame.cell, frame.symbols[move], frame.step, frame.velocities[move])


def _temperature_map(frame: Snapshot) -> FieldMap:
    movers = _movers(frame)
    return field_map(movers, atom_temperatures(movers), open_axes=("z",))


def _maps(name: str, frames: list[Snapshot], timestep_ps: float) -> str:
    maps = [_temperature_map(frame) for frame in frames]
    high = float(max(np.nanmax(found.value) for found in maps))
    wide = float(frames[0].cell[0, 0] / frames[0].cell[2, 2])
    columns = min(len(maps), 3 if wide > 1.0 else 6)
    rows = -(-len(maps) // columns)
    height = float(np.clip(rows * (9.6 / columns / wide * 0.8 + 0.55), 2.2, 7.0))
    with styled():
        canvas, axes = subplots(rows, columns, 9.6, height, sharex=True, sharey=True)
        for axis in axes.flat[len(maps) :]:
            axis.set_axis_off()
        for axis, found, frame in zip(axes.flat, maps, frames, strict=False):
            image = plots.plot_map(axis, found, 0.0, high)
            axis.set_title(f"{frame.step * timestep_ps:.1f} ps")
            axis.label_outer()
        canvas.colorbar(image, ax=list(axes.flat), label="temperature (K)")
        return to_svg(canvas, f"{name}: temperature maps over time")


def _profiles(name: str, frames: list[Snapshot], timestep_ps: float) -> str:
    heat, order = {}, {}
    for frame in frames:
        time = f"{frame.step * timestep_ps:.1f} ps"
        heat[time] = profile(_movers(frame), atom_temperatures(_movers(frame)), "z", 6.0)
        if len(frame.positions) <= MAX_ORDER_ATOMS:
            order[time] = profile(frame, crystal_order(frame).crystalline.astype(np.float64), "z", 6.0)
    with styled():
        canvas, axes = subplots(1, 2 if order else 1, 9.6, 3.0)
        plots.plot_profiles(axes[0, 0], heat, "temperature (K)")
        if order:
            plots.plot_profiles(axes[0, 1], order, "crystalline share")
            axes[0, 1].set_ylim(0, 1.03)
        return to_svg(canvas, f"{name}: temperature and crystallinity along z")


def _film(run: Run, frames: list[Snapshot]) -> Pictures:
    """Films by order and by temperature, kept beside the report and shown in it."""
    import base64

    figures = []
    for color in ("order", "temperature"):
        path = run.folder / f"film-{color}.gif"
        film((picture(frame, color, 360, (0.0, 0.0)) for frame in frames), path, per_second=6)  # type: ignore[arg-type]
        data = base64.b64encode(path.read_bytes()).decode()
        text = "crystalline atoms yellow, disordered ones red" if color == "order" else "temperature, bright is 1500 K"
        html = f'<img alt="Film of the pulse: {text}" src="data:image/gif;base64,{data}">'
        figures.append(Figure(html, f"The stages with a pulse, seen along y: {text} ({path.name})."))
    last = frames[-1]
    shown = "Elements in the last of these frames."
    figures.append(Figure(png_image(picture(last, "element", 360, (0.0, 0.0)), shown), shown))
    return Pictures(figures)


def _stills(frame: Snapshot, timestep_ps: float) -> Pictures:
    """Pictures of a slice of one frame, for cells that are too large for a film."""
    inside = frame.positions[:, 1] % frame.cell[1, 1] < SLICE_A
    part = Snapshot(frame.positions[inside], frame.cell, frame.symbols[inside], frame.step)
    figures = []
    texts = {"order": "crystalline atoms yellow, disordered ones red", "temperature": "temperature, bright is 1500 K"}
    for color, text in texts.items():
        colors = atom_colors(frame, color)[inside]  # type: ignore[arg-type]
        caption = f"A slice of {SLICE_A / 10:g} nm at {frame.step * timestep_ps:.1f} ps, seen along y: {text}."
        png = render(part, size_px=700, colors=colors, view_deg=(0.0, 0.0))
        figures.append(Figure(png_image(png, f"Slice by {color}"), caption))
    return Pictures(figures)
