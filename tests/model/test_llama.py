"""The decoder against the plain formulas and against `transformers`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.errors import Broken, Invalid
from touyan.model.kernels import CrossEntropy, RmsNorm
from touyan.model.llama import Llama, load_model, save_model, to_hugging_face
from touyan.model.muon import orthogonalise
from touyan.model.shape import LlamaShape

SHAPES = [
    LlamaShape(vocabulary=97, width=32, layers=2, heads=4, inner=48, context_tokens=64),
    LlamaShape(
        vocabulary=97, width=48, layers=3, heads=6, inner=64, kv_heads=2, context_tokens=64, rope_base=500_000.0, is_tied=False
    ),
]


def random_model(shape: LlamaShape) -> Llama:
    """No weight is left at zero or one, so that every tensor matters."""
    torch.manual_seed(1)
    model = Llama(shape)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize("shape", SHAPES)
def test_transformers_gives_the_same_logits(tmp_path: Path, shape: LlamaShape) -> None:
    from transformers import AutoModelForCausalLM

    model = random_model(shape)
    save_model(model, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    tokens = torch.randint(3, 97, (3, 40))
    with torch.no_grad():
        torch.testing.assert_close(model.logits(model(tokens)), theirs(tokens).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_saved_model_is_read_back_bitwise(tmp_path: Path, shape: LlamaShape) -> None:
    model = random_model(shape)
    save_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.shape == dataclasses.replace(shape, kv_heads=shape.groups)
    ours, theirs = to_hugging_face(model), to_hugging_face(again)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_padding_at_the_right_changes_nothing() -> None:
    model = random_model(SHAPES[0])
    tokens = torch.randint(3, 97, (1, 20))
    with torch.no_grad():
        torch.testing.assert_close(model(tokens)[:, :12], model(tokens[:, :12]), rtol=1e-5, atol=1e-5)


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    save_model(random_model(SHAPES[0]), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(Broken, match="cannot be read"):
        load_model(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    save_model(random_model(SHAPES[0]), tmp_path)
    dataclasses.replace(SHAPES[0], inner=64).write(tmp_path)
    with pytest.raises(Broken, match="shape"):
        load_model(tmp_path)


def test_another_family_of_models_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(Invalid, match="gpt2"):
        load_model(tmp_path)


def test_the_norm_and_its_gradient_equal_the_plain_formula() -> None:
    torch.manual_seed(0)
    x, weight = (
        torch.randn(5, 7, 16, dtype=torch.float64, requires_grad=True),
        torch.randn(16, dtype=torch.float64, requires_grad=True),
    )
    grad = torch.randn(5, 7, 16, dtype=torch.float64)
    plain = torch.nn.functional.rms_norm(x, (16,), weight, 1e-5)
    wanted = torch.autograd.grad(plain, (x, weight), grad)
    ours = RmsNorm.apply(x, weight, 1e-5)
    found = torch.autograd.grad(ours, (x, weight), grad)
    torch.testing.assert_close(ours, plain, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_the_loss_and_its_gradient_equal_the_plain_formula() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(9, 11, requires_grad=True), torch.randint(11, (9,))
    targets[4:6] = -1  # padding
    plain = torch.nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=-1)
    wanted = torch.autograd.grad(plain, logits)[0]
    ours = CrossEntropy.apply(logits, targets)
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(torch.autograd.grad(ours, logits)[0], wanted)


@settings(deadline=None, max_examples=25)
@given(rows=st.integers(2, 40), columns=st.integers(2, 40), scale=st.floats(1e-4, 1e4), seed=st.integers(0, 99))
def test_orthogonalised_matrices_have_singular_values_near_one(rows: int, columns: int, scale: float, seed: int) -> None:
    if abs(rows - columns) < 4:
        columns = rows + 8  # a square Gaussian matrix has singular values near zero, which five iterations do not lift to one
    matrix = torch.randn(1, rows, columns, generator=torch.Generator().manual_seed(seed)) * scale
    values = torch.linalg.svdvals(orthogonalise(matrix).float())
    assert 0.3 < float(values.min()) <= float(values.max()) < 1.4
