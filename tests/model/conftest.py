"""Assets that many tests of the model room start from, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_world import TINY, BareWork, asset, bare_work, make_tokenizer, write_corpus, write_tokens

from touyan.flow.step import InputAsset
from touyan.model.train import TrainParams


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"), corpus)


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Path:
    return write_tokens(tmp_path_factory.mktemp("tokens") / "tokens", tokenizer)


@pytest.fixture(scope="session")
def training(tokens: Path, tokenizer: Path) -> Callable[..., BareWork]:
    """A Work ready for `train.run`."""

    def make(tmp: Path, params: TrainParams = TINY, **inputs: InputAsset) -> BareWork:
        given: dict[str, Any] = {"tokens": asset("tokens", tokens), "tokenizer": asset("tokenizer", tokenizer), **inputs}
        return bare_work(tmp, params, **given)

    return make


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory, training: Callable[..., BareWork]) -> Path:
    """A tiny trained decoder."""
    from touyan.model.train import run

    work = training(tmp_path_factory.mktemp("decoder"))
    run(work)
    return work.out
