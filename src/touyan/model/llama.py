"""The decoder in plain PyTorch, and its weights under their Hugging Face Llama names.

Owns the forward pass over whole sequences and the mapping to `model.safetensors`. Knows nothing about optimisers, caches or
files of an Asset other than the weights. Invariant: for the same weights, `transformers` gives the same logits.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from touyan.core.errors import Broken
from touyan.model.kernels import RmsNorm
from touyan.model.shape import LlamaShape

WEIGHTS = "model.safetensors"
GRAIN = 256
"""The tokens of a batch are padded to a multiple of this. oneDNN compiles a matrix product anew for every number of rows that it
has not met, 17 ms a time on one core: a third of a training step where each batch has its own."""


class Block(nn.Module):
    """One layer: attention, then SwiGLU, each behind RMSNorm and added to the stream.

    Projections that read the same input are stored as one matrix, so that one product computes them.
    """

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.mlp_norm = nn.Parameter(torch.ones(width))
        self.qkv = nn.Parameter(torch.empty(width + 2 * shape.kv_width, width))
        self.out = nn.Parameter(torch.zeros(width, width))
        self.gate_up = nn.Parameter(torch.empty(2 * shape.inner, width))
        self.down = nn.Parameter(torch.zeros(width, shape.inner))

    def initialise(self, generator: torch.Generator) -> None:
        """Inputs of each part Gaussian at 0.7/sqrt(width), outputs zero: each layer begins as the identity (Yang et al. 2022)."""
        spread = 0.7 * self.shape.width**-0.5
        for weight in (self.qkv, self.gate_up):
            nn.init.normal_(weight, std=spread, generator=generator)

    def forward(self, stream: Tensor, rows: int, rope: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """stream: [rows * length and padding, width]; mask: [length, length]."""
        stream = stream + self._attend(RmsNorm.apply(stream, self.attention_norm, self.shape.norm_epsilon), rows, rope, mask)
        gate, up = F.linear(RmsNorm.apply(stream, self.mlp_norm, self.shape.norm_epsilon), self.gate_up).chunk(2, -1)
        return stream + F.linear(F.silu(gate) * up, self.down)

    def _attend(self, x: Tensor, rows: int, rope: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """Softmax attention written out: at these lengths (about 64 tokens) the fused CPU kernel's backward is 5 times slower."""
        shape, length = self.shape, len(mask)
        heads = F.linear(x, self.qkv)[: rows * length].view(rows, length, shape.heads + 2 * shape.groups, shape.head_width)
        turned = rotate(heads[:, :, : shape.heads + shape.groups], *rope)
        query = turned[:, :, : shape.heads].transpose(1, 2) * shape.head_width**-0.5
        key, value = turned[:, :, shape.heads :].transpose(1, 2), heads[:, :, shape.heads + shape.groups :].transpose(1, 2)
        if shape.groups != shape.heads:
            key, value = (part.repeat_interleave(shape.heads // shape.groups, 1) for part in (key, value))
        weights = torch.softmax(query @ key.transpose(2, 3) + mask, -1)
        attended = (weights @ value).transpose(1, 2).reshape(rows * length, shape.width)
        return F.linear(F.pad(attended, (0, 0, 0, len(x) - len(attended))), self.out)


class Llama(nn.Module):
    """The decoder. `forward` gives the hidden states before the output matrix."""

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Parameter(torch.empty(shape.vocabulary, shape.width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        self.head = self.embedding if shape.is_tied else nn.Parameter(torch.zeros(shape.vocabulary, shape.width))

    def initialise(self, seed: int) -> None:
        """Fresh weights, a function of the seed alone."""
        generator = torch.Generator().manual_seed(seed)
        nn.init.normal_(self.embedding, std=0.02, generator=generator)
        for block in self.blocks:
            block.initialise(generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: [batch, length] -> hidden: [batch, length, width]. Padding belongs at the right: it is seen by nobody."""
        rows, length = tokens.shape
        stream = F.embedding(F.pad(tokens.flatten(), (0, -tokens.numel() % GRAIN)), self.embedding)
        rope = rope_tables(self.shape, torch.arange(length), stream.dtype)
        mask = torch.full((length, length), float("-inf"), dtype=stream.dtype).triu(1)
        for block in self.blocks:
            stream = block(stream, rows, rope, mask)
        return RmsNorm.apply(stream[: rows * length], self.norm, self.shape.norm_epsilon).view(rows, length, self.shape.width)

    def logits(self, hidden: Tensor) -> Tensor:
        """[..., width] -> [..., vocabulary]."""
        return F.linear(hidden, self.head)


def rope_tables(shape: LlamaShape, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions (Su et al. 2021): [length, 1, head_width / 2] each."""
    half = shape.head_width // 2
    frequency = shape.rope_base ** (-torch.arange(half, dtype=torch.float32) / half)
    angle = (positions.float()[:, None] * frequency)[:, None]
    return angle.cos().to(dtype), angle.sin().to(dtype)


def rotate(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns the two halves of each head (the layout of Hugging Face). heads: [..., length, heads, head_width]."""
    first, second = heads.chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


def to_hugging_face(model: Llama) -> dict[str, Tensor]:
    """The weights under their Hugging Face names, float32 and contiguous."""
    width, kv = model.shape.width, model.shape.kv_width
    named = {"model.embed_tokens.weight": model.embedding, "model.norm.weight": model.norm}
    if not model.shape.is_tied:
        named["lm_head.weight"] = model.head
    for index, block in enumerate(model.blocks):
        assert isinstance(block, Block)
        query, key, value = block.qkv.split((width, kv, kv))
        gate, up = block.gate_up.chunk(2)
        parts = {
            "input_layernorm": block.attention_norm, "post_attention_layernorm": block.mlp_norm,
            "self_attn.q_proj": query, "self_attn.k_proj": key, "self_attn.v_proj": value, "self_attn.o_proj": block.out,
            "mlp.gate_proj": gate, "mlp.up_proj": up, "mlp.down_proj": block.down,
        }  # fmt: skip
        named |= {f"model.layers.{index}.{name}.weight": tensor for name, tensor in parts.items()}
    return {name: tensor.detach().float().contiguous() for name, tensor in named.items()}


def load_hugging_face(model: Llama, named: dict[str, Tensor]) -> None:
    """Copies weights in. Raises Broken where one is absent, has another shape, or is left over."""
    left = set(named)

    def take(name: str) -> Tensor:
        if name not in named:
            raise Broken("model-weights", f"the weights lack {name}", "fetch the model again")
        left.discard(name)
        return named[name]

    with torch.no_grad():
        _copy(model.embedding, take("model.embed_tokens.weight"))
        _copy(model.norm, take("model.norm.weight"))
        if not model.shape.is_tied:
            _copy(model.head, take("lm_head.weight"))
        for index, block in enumerate(model.blocks):
            assert isinstance(block, Block)
            prefix = f"model.layers.{index}"
            _copy(block.attention_norm, take(f"{prefix}.input_layernorm.weight"))
            _copy(block.mlp_norm, take(f"{prefix}.post_attention_layernorm.weight"))
            _copy(block.qkv, torch.cat([take(f"{prefix}.self_attn.{part}_proj.weight") for part in "qkv"]))
            _copy(block.out, take(f"{prefix}.self_attn.o_proj.weight"))
            _copy(block.gate_up, torch.cat([take(f"{prefix}.mlp.{part}_proj.weight") for part in ("gate", "up")]))
            _copy(block.down, take(f"{prefix}.mlp.down_proj.weight"))
    left -= {"lm_head.weight"}
    if left:
        raise Broken(
            "model-weights", f"the weights hold {len(left)} unknown tensors, such as {min(left)}", "use a plain Llama model"
        )


def _copy(target: Tensor, source: Tensor) -> None:
    if target.shape != source.shape:
        raise Broken(
            "model-weights", f"a tensor has shape {tuple(source.shape)}, wanted {tuple(target.shape)}", "fetch the model again"
        )
    target.copy_(source)


def save_model(model: Llama, folder: Path) -> None:
    """Writes `config.json`, `generation_config.json` and `model.safetensors`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    model.shape.write(folder)
    save_file(to_hugging_face(model), folder / WEIGHTS, metadata={"format": "pt"})


def load_model(folder: Path) -> Llama:
    """Reads a plain Llama model in the Hugging Face layout, in one file or several, as float32. Raises Broken on damage."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    model = Llama(LlamaShape.read(folder))
    named: dict[str, Tensor] = {}
    for path in sorted(folder.glob("model*.safetensors")):
        try:
            named |= load_file(path)
        except (OSError, SafetensorError) as error:
            raise Broken("model-weights", f"{path} cannot be read: {error}", "fetch the model again") from error
    load_hugging_face(model, named)
    return model
