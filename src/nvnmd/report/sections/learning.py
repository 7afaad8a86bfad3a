"""Learning curves of both stages."""

from __future__ import annotations

from typing import Any

from nvnmd.report.blocks import Figure, Missing, Section, Text
from nvnmd.report.plots import INK, SERIES, styled, subplots, to_svg
from nvnmd.report.run import Curve, Run

_STAGES = (("train", "FP32"), ("quantize", "Fixed point"))
_PANELS = (("rmse_f", "force RMSE (meV/Å)"), ("rmse_e", "energy RMSE (meV/atom)"))
_KINDS = (("trn", SERIES[0], "training batch"), ("val", SERIES[1], "held-out batch"))


def learning(run: Run) -> Section:
    """Errors on batches against the training step."""
    section = Section("learning", "Learning curve")
    curves = [(title, curve) for name, title in _STAGES if (curve := run.learning_curve(name)) is not None]
    section.blocks += [
        Missing(f"the learning curve of {title}", f"{name}/lcurve.out")
        for name, title in _STAGES
        if run.learning_curve(name) is None
    ]
    if not curves:
        return section
    caption = (
        "Root-mean-square errors of single batches, from lcurve.out: values (thin) and their running mean (thick)."
    )
    section.blocks.insert(0, Figure(_plot(curves), caption))
    section.blocks.insert(1, Text(_last(curves)))
    return section


def _plot(curves: list[tuple[str, Curve]]) -> str:
    with styled():
        canvas, axes = subplots(1, 2, 9.6, 3.5)
        for axis, (quantity, label) in zip(axes[0], _PANELS, strict=True):
            start = 0.0
            for number, (title, curve) in enumerate(curves):
                if number:
                    axis.axvline(start, color=INK, linewidth=0.8, linestyle=(0, (3, 3)))
                    _name_side(axis, start, curves[number - 1][0], "right")
                    _name_side(axis, start, title, "left")
                start = _add(axis, curve, quantity, start, labeled=number == 0)
            axis.set(xlabel="training step", title=label, yscale="log")
            axis.margins(x=0.01)
            _plain_ticks(axis)
        canvas.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        return to_svg(canvas, "Learning curves of force and energy")


def _name_side(axis: Any, step: float, name: str, align: str) -> None:
    axis.annotate(
        name, (step, 0.99), (-5 if align == "right" else 5, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", ha=align, va="top", fontsize=8.5, annotation_clip=False,
    )  # fmt: skip


def _plain_ticks(axis: Any) -> None:
    """Numbers such as 200 and 0.5 on the logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0) if high > 10 * low else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
    )
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_locator(NullLocator())


def _add(axis: Any, curve: Curve, quantity: str, start: float, labeled: bool) -> float:
    """Draw one stage from a step on; returns the step it ends at."""
    from scipy.ndimage import uniform_filter1d

    steps = curve.columns["step"]
    for kind, color, label in _KINDS:
        values = curve.columns.get(f"{quantity}_{kind}")
        if values is None:
            continue
        axis.plot(start + steps, 1000 * values, color=color, linewidth=0.5, alpha=0.45)
        window = max(1, len(values) // 15)
        smooth = uniform_filter1d(1000 * values, window, mode="nearest")
        axis.plot(start + steps, smooth, color=color, label=label if labeled else None)
    return float(start + steps[-1])


def _last(curves: list[tuple[str, Curve]]) -> str:
    parts = []
    for title, curve in curves:
        kind = "val" if "rmse_f_val" in curve.columns else "trn"
        force, energy = (1000 * curve.columns[f"{q}_{kind}"][-1] for q in ("rmse_f", "rmse_e"))
        kept = "held-out" if kind == "val" else "training"
        step = int(curve.columns["step"][-1])
        parts.append(f"{title}: {step} steps, last {kept} batch {force:.0f} meV/Å and {energy:.1f} meV/atom.")
    return " ".join(parts)
