"""The optimiser of pretraining: Muon on the matrices of the layers, Adam on everything else.

Owns the float32 master weights and the moments; the model it steps may compute in bfloat16. Knows nothing about data or
schedules: each step is told its share of the full learning rate. Invariant: `state()` and `load()` carry everything that
the next step depends on, so that a resumed run is bitwise the run that was not interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from touyan.model.crew import Crew
from touyan.model.llama import Block, Llama

POLAR_EXPRESS = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)
"""Coefficients of five quintic Newton-Schulz iterations, tuned together for Muon: singular values end near 1."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Full learning rates and what goes with them."""

    matrix: float
    vector: float
    """For embeddings and norms."""
    weight_decay: float
    momentum: float = 0.95
    beta1: float = 0.9
    beta2: float = 0.95


@dataclass(frozen=True, slots=True)
class Matrix:
    """A stack of equal matrices inside one parameter, such as query, key and value: each is orthogonalised by itself."""

    parameter: int
    first_row: int
    rows: int
    columns: int

    def of(self, tensors: list[Tensor]) -> Tensor:
        """Its part of a list of tensors that stands in the order of the parameters; a view."""
        return tensors[self.parameter][self.first_row : self.first_row + self.rows]


class Muon:
    """Muon (Jordan et al. 2024) with Nesterov momentum, decoupled weight decay, and Adam (Kingma and Ba 2015) beside it."""

    def __init__(self, model: Llama, rates: Rates, crew: Crew) -> None:
        self.rates = rates
        self._crew = crew
        self._parameters = list(model.parameters())
        self._masters = [parameter.detach().float().clone() for parameter in self._parameters]
        self._first = [torch.zeros_like(master) for master in self._masters]
        index = {id(parameter): i for i, parameter in enumerate(self._parameters)}
        matrices = list(_matrices(model, index))
        matrix_parameters = {matrix.parameter for matrix in matrices}
        self._others = [i for i in range(len(self._parameters)) if i not in matrix_parameters]
        self._second = {i: torch.zeros_like(self._masters[i]) for i in self._others}
        self._stacks = [part for stack in _by_size(matrices).values() for part in crew.deal(stack)]
        self._steps = 0

    def step(self, share: float, gradients: list[list[Tensor]]) -> None:
        """Moves the weights at `share` of the full rates. gradients: for each worker one tensor a parameter, to be summed."""
        self._steps += 1
        sums: list[Tensor] = self._crew.map(lambda i: _sum([part[i] for part in gradients]), range(len(self._parameters)))
        self._crew.map(lambda stack: self._step_matrices(stack, share, sums), self._stacks)
        self._crew.map(lambda i: self._step_adam(i, share, sums[i]), self._others)
        self._crew.map(self._refresh, range(len(self._parameters)))

    def masters(self) -> list[Tensor]:
        """The float32 weights in the order of `model.parameters()`; live, not copies."""
        return self._masters

    def state(self) -> dict[str, Tensor]:
        """Everything the next step depends on, by name."""
        named = {f"master.{i}": tensor for i, tensor in enumerate(self._masters)}
        named |= {f"first.{i}": tensor for i, tensor in enumerate(self._first)}
        named |= {f"second.{i}": tensor for i, tensor in self._second.items()}
        return named | {"steps": torch.tensor([self._steps])}

    def load(self, named: dict[str, Tensor]) -> None:
        """Restores what `state` gave, and the model's weights from the masters."""
        for name, tensor in self.state().items():
            tensor.copy_(named[name])
        self._steps = int(named["steps"][0])
        for i in range(len(self._parameters)):
            self._refresh(i)

    @torch.no_grad()
    def _refresh(self, i: int) -> None:
        self._parameters[i].copy_(self._masters[i])

    @torch.no_grad()
    def _step_matrices(self, stack: list[Matrix], share: float, gradients: list[Tensor]) -> None:
        """Equal matrices, orthogonalised in one batch."""
        rates = self.rates
        updates = []
        for matrix in stack:
            gradient, momentum = matrix.of(gradients), matrix.of(self._first)
            momentum.lerp_(gradient, 1 - rates.momentum)
            updates.append(gradient.lerp(momentum, rates.momentum))
        rate = share * rates.matrix * max(1.0, stack[0].rows / stack[0].columns) ** 0.5
        for matrix, update in zip(stack, orthogonalise(torch.stack(updates)), strict=True):
            matrix.of(self._masters).mul_(1 - share * rates.matrix * rates.weight_decay).sub_(update.float(), alpha=rate)

    @torch.no_grad()
    def _step_adam(self, i: int, share: float, gradient: Tensor) -> None:
        rates = self.rates
        self._first[i].lerp_(gradient, 1 - rates.beta1)
        self._second[i].lerp_(gradient.square_(), 1 - rates.beta2)
        scale = (self._second[i] / (1 - rates.beta2**self._steps)).sqrt_().add_(1e-10)
        self._masters[i].addcdiv_(self._first[i], scale, value=-share * rates.vector / (1 - rates.beta1**self._steps))


def orthogonalise(matrices: Tensor) -> Tensor:
    """The nearest matrices with all singular values near 1. [n, rows, columns], any type -> the same shape in bfloat16.

    bfloat16 is enough (Jordan et al. 2024), and five times as fast where the processor has matrix tiles.
    """
    x = matrices.bfloat16()
    is_tall = x.shape[-2] > x.shape[-1]
    x = x.mT if is_tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for a, b, c in POLAR_EXPRESS:
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if is_tall else x


def _matrices(model: Llama, index: dict[int, int]) -> Iterator[Matrix]:
    """Every matrix of the layers; the parts of a fused projection apart."""
    width, kv, inner = model.shape.width, model.shape.kv_width, model.shape.inner
    for block in model.blocks:
        assert isinstance(block, Block)
        parts = ((block.qkv, (width, kv, kv)), (block.out, (width,)), (block.gate_up, (inner, inner)), (block.down, (width,)))
        for parameter, sizes in parts:
            start = 0
            for rows in sizes:
                yield Matrix(index[id(parameter)], start, rows, parameter.shape[1])
                start += rows


def _by_size(matrices: list[Matrix]) -> dict[tuple[int, int], list[Matrix]]:
    stacks: dict[tuple[int, int], list[Matrix]] = {}
    for matrix in matrices:
        stacks.setdefault((matrix.rows, matrix.columns), []).append(matrix)
    return stacks


def _sum(parts: list[Tensor]) -> Tensor:
    """In float32 and in a fixed order; a tensor of its own."""
    total = parts[0].detach().to(torch.float32, copy=True)
    for part in parts[1:]:
        total += part
    return total
