"""Start from a model with other elements: what both know is taken over, the rest is new."""

from __future__ import annotations

from dataclasses import asdict

import torch

from nvnmd.training.model import DeepPot, ModelError, ModelShape

FREE = ("type_map", "sel")


def take_over(source: DeepPot, target: DeepPot) -> tuple[str, ...]:
    """Copy into a new model every network that an older one has for the same elements.

    A structure of shared elements then has the energy (but for energy shifts and guard), forces and virial of the older
    model. Where the normalization N = sum(sel) differs, the first fitting layer makes up for it: D goes as 1/N^2.
    Networks, gates and scales of other elements stay as they are in `target`; in the form se_atten the one network and
    its scale serve all elements.

    Args:
        source: left as it is; target: changed in place.

    Returns:
        The elements taken over.

    Raises:
        ModelError: the two differ in more than elements and sel, or share no element.
    """
    shared = tuple(name for name in target.shape.type_map if name in source.shape.type_map)
    _check(source.shape, target.shape, shared)
    old = {name: value.detach() for name, value in source.state_dict().items()}
    new = target.state_dict()
    pairs = [(_pair(source.shape, a, b), _pair(target.shape, a, b)) for a in shared for b in shared]
    types = [(source.shape.type_map.index(a), target.shape.type_map.index(a)) for a in shared]
    grown = (target.shape.n_neighbors / source.shape.n_neighbors) ** 2
    for name, value in new.items():
        if name.startswith("embedding"):
            rows = [(source.shape.nets[i], target.shape.nets[k]) for i, k in pairs]
        else:
            rows = pairs if name == "gate" else types
        factor = grown if name == "fitting.weights.0" else 1.0
        for i, k in rows:
            value[k] = (old[name][i].double() * factor).to(value.dtype)
    with torch.no_grad():
        target.load_state_dict(new)
    for scale in ("radial_scale", "angular_scale"):
        values, known = getattr(target, scale), getattr(source, scale)
        for i, k in types:
            values[k] = known[i]
        if target.shape.form == "se_atten":
            values[:] = known[0]
    return shared


def _check(source: ModelShape, target: ModelShape, shared: tuple[str, ...]) -> None:
    found, wanted = asdict(source), asdict(target)
    differences = [f"{k} {found[k]} (settings: {wanted[k]})" for k in found if k not in FREE and found[k] != wanted[k]]
    if differences:
        raise ModelError(
            f"the model to start from has {', '.join(differences)}; only type_map and sel may differ, let the other "
            "settings say the same"
        )
    if not shared:
        raise ModelError(
            f"the model to start from knows {' '.join(source.type_map)}, none of {' '.join(target.type_map)}"
        )


def _pair(shape: ModelShape, center: str, neighbor: str) -> int:
    return shape.type_map.index(center) * shape.n_types + shape.type_map.index(neighbor)
