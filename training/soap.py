"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner, for the stacked weight matrices of the model.

N. Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", arXiv:2409.11321. Every parameter of shape
[copies, n_in, n_out] keeps running means of G G^T and G^T G per copy; their eigenvectors, followed by one QR iteration
every few steps, are the axes in which Adam's moments are kept. Other parameters are plain Adam's. The first step only
finds the axes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from nvnmd.training import native

Kept = list[tuple[Tensor, Tensor, Tensor]]
"""Tensor, its rows, and the values to put back."""
_SMALLEST = 16  # narrower matrices are left to Adam: their axes cost more than they bring


class Soap(torch.optim.Optimizer):
    """The optimizer.

    Args:
        params: parameters; those of three dimensions with both sides of the matrices from 16 to `largest` are rotated.
        lr: learning rate.
        betas: decay of the means of gradients, of their squares and of the preconditioner.
        eps: added to the root of the mean square.
        every: steps between two updates of the axes.
        gather: steps between two updates of the preconditioner, whose means hold the gradients of many steps anyway.
        largest: widest side of a matrix that is rotated.
        weight_decay: matrices lose this share of themselves times the learning rate in every step; vectors do not.
    """

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        lr: float = 3e-3,
        betas: tuple[float, float, float] = (0.95, 0.95, 0.95),
        eps: float = 1e-8,
        every: int = 20,
        gather: int = 4,
        largest: int = 1024,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "every": every, "gather": gather, "largest": largest}
        defaults["weight_decay"] = weight_decay
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("gather", 1)  # as in runs begun before there was a choice
            group.setdefault("weight_decay", 0.0)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step from the gradients at hand."""
        for group in self.param_groups:
            complete = _complete([p.grad for p in group["params"] if p.grad is not None])  # nearly always
            alike: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
            plain: list[Tensor] = []
            for parameter in group["params"]:
                if parameter.grad is not None:
                    rotated = _is_rotated(parameter, group["largest"])
                    (alike[tuple(parameter.shape[1:])] if rotated else plain).append(parameter)
            for parameters in alike.values():
                state = self.state[parameters[0]]
                kept = [] if complete else self._absent(parameters, state, stacked=True)
                _decay(parameters, group)
                self._rotated_step(parameters, group)
                _restore(kept)
                if state["step"] and state["step"] % group["every"] == 0:
                    self._turn(state)  # after rows were put back: a mean belongs to the axes that it is told in
            if plain:
                kept = [] if complete else [k for one in plain for k in self._absent([one], self.state[one])]
                _decay(plain, group)
                self._plain_step(plain, group)
                _restore(kept)

    @staticmethod
    def _absent(parameters: list[Tensor], state: dict[str, Any], stacked: bool = False) -> Kept:
        """Rows of parameters and state whose element no frame of the batch has, with what they hold now.

        Their gradient is zero. Moved on all the same, the mean gradient of the last frame that had the element would
        carry them many steps in its direction before the next one tells how far that was.
        """
        found: Kept = []
        grads = [p.grad for p in parameters if p.grad is not None and p.ndim > 1]
        rows = [(grad.flatten(1) == 0).all(dim=1) for grad in grads]
        for parameter, row in zip(parameters, rows, strict=True):
            found.append((parameter, row, parameter[row]))
        every = torch.cat(rows)
        for name, value in state.items():
            if value.ndim and (stacked or name in ("mean", "square")) and not name.endswith("_axes"):
                found.append((value, every, value[every]))
        return found

    def _rotated_step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Matrices of one size in one go; their state stands with the first of them, stacked."""
        state = self.state[parameters[0]]
        if not state:
            self._begin(state, _stacked(parameters))
            return
        state["step"] += 1
        count = int(state["step"])
        share = 0.0 if count % group["gather"] else 1 - group["betas"][2] ** group["gather"]
        if native.runs_here(parameters[0]):
            native.soap_step(parameters, state, count, share, group)
        else:
            self._move(parameters, state, count, share, group)

    @staticmethod
    def _move(parameters: list[Tensor], state: dict[str, Any], count: int, share: float, group: dict[str, Any]) -> None:
        """The step by torch alone: any device, any precision. `share`: of this gradient in the preconditioner."""
        grad, (first, second, _) = _stacked(parameters), group["betas"]
        means, squares, left, right = state["mean"], state["square"], state["left_axes"], state["right_axes"]
        rotated = left.mT @ grad @ right
        means.lerp_(rotated, 1 - first)
        squares.mul_(second).addcmul_(rotated, rotated, value=1 - second)
        root = (squares / (1 - second**count)).sqrt_().add_(group["eps"])
        update = left @ (means / root).mul_(-group["lr"] / (1 - first**count)) @ right.mT
        torch._foreach_add_(parameters, list(update.split([len(p) for p in parameters])))
        if share:
            state["left"].lerp_(grad @ grad.mT, share)
            state["right"].lerp_(grad.mT @ grad, share)

    @staticmethod
    def _begin(state: dict[str, Any], grad: Tensor) -> None:
        state["step"] = torch.zeros((), dtype=torch.float64)
        state["mean"], state["square"] = torch.zeros_like(grad), torch.zeros_like(grad)
        for side, product in (("left", grad @ grad.mT), ("right", grad.mT @ grad)):
            state[side] = product
            state[f"{side}_axes"] = torch.linalg.eigh(product)[1].contiguous()

    @staticmethod
    def _turn(state: dict[str, Any]) -> None:
        """New axes by one QR iteration; the mean gradient is turned along, the mean squares stay with their axes.

        A mean is never larger than the root of the mean square over the same steps (Cauchy and Schwarz), so that no
        step is longer than the learning rate along any axis. Turned means are cut to that: where gradients are rare, as
        those of an element that few frames hold, axes move far, and a mean turned to where squares had died out made
        steps without bound.
        """
        if native.runs_here(state["mean"]):
            native.soap_turn(state)
            return
        mean = state["left_axes"] @ state["mean"] @ state["right_axes"].mT
        for side in ("left", "right"):
            state[f"{side}_axes"] = torch.linalg.qr(state[side] @ state[f"{side}_axes"])[0].contiguous()
        most = state["square"].sqrt()
        state["mean"] = (state["left_axes"].mT @ mean @ state["right_axes"]).clamp_(-most, most)

    def _plain_step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        first, second, _ = group["betas"]
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
                state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        states = [self.state[parameter] for parameter in parameters]
        torch._foreach_add_([state["step"] for state in states], 1)
        torch._fused_adam_(
            parameters,
            [p.grad for p in parameters if p.grad is not None],
            [state["mean"] for state in states],
            [state["square"] for state in states],
            [],
            [state["step"] for state in states],
            lr=group["lr"],
            beta1=first,
            beta2=second,
            weight_decay=0.0,
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )


# What torch puts around every step for its profiler takes 2 % of one of ours; with this mark it leaves the step alone.
Soap.step.hooked = True  # type: ignore[attr-defined]


def _complete(grads: list[Tensor]) -> bool:
    """Whether no row of a gradient begins with zero, quickly told."""
    grads = [grad for grad in grads if grad.ndim > 1]
    if grads and native.runs_here(grads[0]):
        return native.complete(grads)
    return not grads or bool(torch.cat([grad.flatten(1)[:, 0] for grad in grads]).all())


def _decay(parameters: list[Tensor], group: dict[str, Any]) -> None:
    if group["weight_decay"] and (matrices := [p for p in parameters if p.ndim > 2]):
        torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])


def _restore(kept: Kept) -> None:
    for tensor, rows, values in kept:
        tensor[rows] = values


def _stacked(parameters: list[Tensor]) -> Tensor:
    return torch.cat([p.grad for p in parameters if p.grad is not None])


def _is_rotated(parameter: Tensor, largest: int) -> bool:
    return parameter.ndim == 3 and all(_SMALLEST <= side <= largest for side in parameter.shape[1:])
