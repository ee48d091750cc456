"""Tokens per second of the serving engine against `transformers.generate`, on the same weights, alone and with 8 at once.

    python bench/model/serving.py [--model FOLDER] [--threads 2] [--tokens 128]

Greedy, the same prompts, the end token ignored on both sides so that both make the same number of tokens. CPU seconds are
printed beside wall seconds: on a machine that others use, compare those. Without --model, random weights of the default
shape are used; speed does not depend on what the weights are.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from touyan.flow.backend import Sampling
from touyan.model.llama import Llama, load_model, save_model
from touyan.model.llama_engine import LlamaEngine
from touyan.model.shape import LlamaShape

PROMPT_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Speed:
    """Median over repeats."""

    tokens: int
    wall_s: float
    cpu_s: float

    def line(self, name: str) -> str:
        rate, cpu_rate = self.tokens / self.wall_s, self.tokens / self.cpu_s
        return f"{name:<38}{rate:>12,.0f}{cpu_rate:>16,.0f}{self.wall_s:>10.2f}{self.cpu_s:>10.2f}"


def measure(work: Callable[[], int], repeats: int) -> Speed:
    """The first run is not counted: it loads code."""
    work()
    found = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        tokens = work()
        found.append((time.perf_counter() - wall, time.process_time() - cpu, tokens))
    return Speed(found[0][2], statistics.median(one[0] for one in found), statistics.median(one[1] for one in found))


class EndlessCodec:
    """The engine asks its codec for nothing here: prompts come as ids."""


def ours(engine: LlamaEngine, prompts: list[list[int]], tokens: int) -> int:
    running = [engine.start(prompt, Sampling(), tokens) for prompt in prompts]
    made = 0
    while running:
        made += sum(token is not None for token in engine.step(running))
        running = [one for one in running if one.finish is None]
    return made


def theirs(model: object, prompts: list[list[int]], tokens: int) -> int:
    ids = torch.tensor(prompts)
    with torch.inference_mode():
        answer = model.generate(  # type: ignore[attr-defined]
            ids,
            attention_mask=torch.ones_like(ids),
            min_new_tokens=tokens,
            max_new_tokens=tokens,
            do_sample=False,
            use_cache=True,
            pad_token_id=0,
        )
    return int(answer.shape[0] * (answer.shape[1] - ids.shape[1]))


def load(folder: Path | None) -> tuple[Llama, object]:
    from transformers import AutoModelForCausalLM

    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = Path(scratch)
            model = Llama(LlamaShape(vocabulary=4096, width=256, layers=4, heads=4, inner=768))
            model.initialise(0)
            for block in model.blocks:
                torch.nn.init.normal_(block.out, std=0.02)  # type: ignore[arg-type]
                torch.nn.init.normal_(block.down, std=0.02)  # type: ignore[arg-type]
            save_model(model, folder)
        return load_model(folder), AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model, foreign = load(given.model)
    model.shape = _without_end(model.shape)
    print(
        f"torch {torch.__version__}, {given.threads} threads, {PROMPT_TOKENS} prompt tokens, {given.tokens} new tokens, float32"
    )
    print(f"{'':<38}{'tokens/s':>12}{'tokens/CPU-s':>16}{'wall s':>10}{'CPU s':>10}")
    server = LlamaEngine(model, EndlessCodec(), "bench")  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    for count in (1, 8):
        prompts = torch.randint(3, model.shape.vocabulary, (count, PROMPT_TOKENS), generator=generator).tolist()
        engine = measure(lambda p=prompts: ours(server, p, given.tokens), given.repeats)  # type: ignore[misc]
        library = measure(lambda p=prompts: theirs(foreign, p, given.tokens), given.repeats)  # type: ignore[misc]
        print(engine.line(f"touyan, {count} at once"))
        print(library.line(f"transformers.generate, batch of {count}"))
        print(f"  ratio: {library.wall_s / engine.wall_s:.2f} by wall, {library.cpu_s / engine.cpu_s:.2f} by CPU seconds")


def _without_end(shape: LlamaShape) -> LlamaShape:
    """No token ends a sequence, as `min_new_tokens` does on the other side."""
    import dataclasses

    return dataclasses.replace(shape, end=-1)


if __name__ == "__main__":
    main()
