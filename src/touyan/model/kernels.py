"""Two fused operations of training: RMSNorm and the cross-entropy of a large vocabulary.

Written by hand because autograd keeps every intermediate and, on a CPU, these two are bound by memory: together they took a
third of a step in eager form. Knows nothing about the model around them. Invariant: values and gradients equal the plain
formula up to the rounding of the inputs' type (tests compare them).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


class RmsNorm(torch.autograd.Function):
    """x / sqrt(mean(x², last) + epsilon) * weight (Zhang and Sennrich 2019). x: [..., width]; weight: [width]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        scale = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + epsilon).to(x.dtype)
        unit = x * scale
        ctx.save_for_backward(unit, scale, weight)
        return unit * weight

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        grad = grads[0]
        unit, scale, weight = ctx.saved_tensors
        weight_grad = (grad * unit).flatten(0, -2).sum(0)
        inner = grad * weight
        along = (inner * unit).mean(-1, keepdim=True, dtype=torch.float32).to(grad.dtype)
        return (inner - unit * along) * scale, weight_grad, None


class CrossEntropy(torch.autograd.Function):
    """Sum of -ln softmax(logits)[target]. logits: [tokens, vocabulary]; targets: [tokens], negative where there is none."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        log_probs = F.log_softmax(logits, -1)
        ctx.save_for_backward(log_probs, targets)
        real = (targets >= 0).nonzero()[:, 0]
        return -log_probs[real, targets[real]].float().sum()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        log_probs, targets = ctx.saved_tensors
        probs = log_probs.exp_()
        real = targets >= 0
        probs[real.nonzero()[:, 0], targets[real]] -= 1
        probs *= real[:, None]
        return probs.mul_(grads[0].item()), None
