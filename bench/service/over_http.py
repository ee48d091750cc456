"""Tokens per second over HTTP, alone and with 8 at once, and what the service adds to the engine.

    python bench/service/over_http.py [--model FOLDER] [--tokens 128] [--threads 2]

The engine alone is stepped with the same prompts and sampling in this process; the service runs in the same process too, so
CPU seconds are of both client and service. `--idle-engine` serves an engine that computes nothing: the cost of the service by
itself, a token with `--tokens 1000`, a request with `--tokens 1`. Without --model, random weights are used.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "service"))

from serving import NAME, FakeEngine, listening, opener, permit_for

from touyan.flow.backend import Engine, Sampling, open_model
from touyan.service.address import OpenModel
from touyan.service.app import make_app
from touyan.service.settings import Settings
from touyan.store.home import Store, open_store

PROMPT = "第一条　为了保护公民、法人的合法权益"
RIGHTS = {
    "authority": "own-production",
    "personal": "none",
    "personal_state": "none",
    "security": "public",
    "purposes": ["serve"],
    "evidence": ["bench"],
}


stand_in = opener(FakeEngine())


class Clock:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def line(self, name: str, tokens: int) -> str:
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        per_token = f"{1000 * wall / tokens:>8.2f} ms/token wall{1000 * cpu / tokens:>8.2f} ms/token CPU"
        return f"{name:<26}{tokens / wall:>8.0f} tokens/s{per_token}"


def random_model(folder: Path) -> Path:
    """A decoder of the default shape with random weights and a tokenizer of bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from touyan.model.llama import Llama, save_model
    from touyan.model.shape import LlamaShape

    folder.mkdir()
    model = Llama(LlamaShape(vocabulary=259, width=256, layers=4, heads=4, inner=768))
    model.initialise(0)
    save_model(model, folder)
    alphabet = ["<|pad|>", "<|bos|>", "<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "touyan.json").write_text(json.dumps({"backend": "llama", "tasks": ["generate"]}))
    return folder


def direct(engine: Engine, count: int, tokens: int) -> int:
    running = [engine.start(engine.tokenizer.encode(PROMPT), Sampling(1.0, 1.0, 0, i), tokens) for i in range(count)]
    made = 0
    while running:
        made += sum(token is not None for token in engine.step(running))
        running = [one for one in running if one.finish is None]
    return made


def over_http(client: httpx.Client, count: int, tokens: int) -> int:
    def one(seed: int) -> int:
        body = {"prompt": PROMPT, "max_tokens": tokens, "seed": seed}
        answer = client.post("/v1/completions", json=body).json()
        return int(answer["usage"]["completion_tokens"])

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(one, range(count)))


def serve(store: Store, model: Path, threads: int, opener: OpenModel) -> tuple[object, str]:
    me = store.me()
    asset = store.assets.add_folder(me, "model", model, "bench", provider="bench/model")
    with store.database.write() as connection:
        store.statements.make(connection, me, asset, "rights", {"rights": RIGHTS})
    permit_for(store, asset)
    store.services.bind(me, NAME, [asset])
    return make_app(store, me, NAME, False, Settings(threads=threads), opener), store.api_keys.create(me)[1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--idle-engine", action="store_true", help="serve an engine that computes nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        model = asked.model or random_model(Path(scratch) / "model")
        engine = open_model(model, threads=asked.threads)
        app, secret = serve(
            open_store(Path(scratch) / "home", create=True), model, asked.threads, stand_in if asked.idle_engine else open_model
        )
        headers = {"authorization": f"Bearer {secret}"}
        with listening(app) as url, httpx.Client(base_url=url, headers=headers, timeout=600) as client:  # type: ignore[arg-type]
            direct(engine, 8, 8), over_http(client, 8, 8)
            for count in (1, 8):
                clock = Clock()
                print(clock.line(f"engine alone, {count} at once", direct(engine, count, asked.tokens)))
                clock = Clock()
                print(clock.line(f"over HTTP, {count} at once", over_http(client, count, asked.tokens)))


if __name__ == "__main__":
    main()
