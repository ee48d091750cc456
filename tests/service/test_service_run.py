"""A service as a process of its own, with a real engine, until a signal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from serving import CLEARED, NAME, permit_for

from touyan.core.errors import Conflict, Missing, Refused
from touyan.service.run import listen_on, serve
from touyan.store.home import Store, open_store

PROGRAM = """
import sys
from pathlib import Path
from touyan.service.run import serve
from touyan.store.home import open_store
store = open_store(Path(sys.argv[1]))
serve(store, store.me(), "laws", port=0, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def random_decoder(folder: Path) -> Path:
    """A small decoder with random weights and a tokenizer of bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from touyan.model.llama import Llama, save_model
    from touyan.model.shape import LlamaShape

    folder.mkdir()
    model = Llama(LlamaShape(vocabulary=259, width=32, layers=2, heads=2, inner=64))
    model.initialise(0)
    save_model(model, folder)
    words = ["<|pad|>", "<|bos|>", "<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "touyan.json").write_text(json.dumps({"backend": "llama", "tasks": ["generate"]}))
    return folder


@pytest.mark.slow
def test_a_service_answers_with_a_real_engine_and_stops_at_a_signal(tmp_path: Path) -> None:
    store = open_store(tmp_path / "home", create=True)
    me = store.me()
    model = store.assets.add_folder(me, "model", random_decoder(tmp_path / "model"), "random", provider="acme/random")
    with store.database.write() as connection:
        store.statements.make(connection, me, model, "rights", {"rights": CLEARED.to_json()})
    permit_for(store, model)
    store.services.bind(me, NAME, [model])
    _, secret = store.api_keys.create(me)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {secret}"}, timeout=60) as client:
            body = {"prompt": "第一条", "max_tokens": 8, "seed": 1}
            one, two = (client.post("/v1/completions", json=body).json()["choices"][0]["text"] for _ in range(2))
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert one == two
    assert (process.returncode, rest) == (0, "ended\n")
    assert store.services.serving_at("default", NAME, "9999").event.type == "service.stopped"
    assert store.services.totals(me, NAME)[0].completion_tokens > 0


def test_a_service_that_may_serve_nothing_does_not_start(sqlite_store: Store) -> None:
    sqlite_store.services.bind(sqlite_store.me(), NAME, [])
    with pytest.raises(Refused, match="people only"):
        serve(sqlite_store, sqlite_store.me(), NAME, port=0)


def test_a_service_that_nobody_bound_and_a_taken_port_are_told(sqlite_store: Store) -> None:
    with pytest.raises(Missing, match="no service"):
        serve(sqlite_store, sqlite_store.me(), NAME, port=0)
    sqlite_store.services.bind(sqlite_store.me(), NAME, [])
    with listen_on("127.0.0.1", 0) as taken, pytest.raises(Conflict, match="cannot listen"):
        serve(sqlite_store, sqlite_store.me(), NAME, port=taken.getsockname()[1])
