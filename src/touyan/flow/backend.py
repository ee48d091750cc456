"""What can answer with a model: the seam between a model Asset and whoever serves or evaluates it.

A backend opens the folder of a model Asset as an Engine; it is found by the name in the Asset's `touyan.json` under the entry
point group `touyan.backends`. Knows nothing about permits, HTTP or money. Invariant: for one Engine, the tokens of a sequence
depend on its prompt, its sampling and its seed alone, never on which other sequences are stepped beside it, up to the rounding
of the engine's arithmetic.
"""

from __future__ import annotations

import json
from collections.abc import Sequence as Many
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal, Protocol, cast

from touyan.core.errors import Broken, Missing

GROUP = "touyan.backends"

Task = Literal["generate", "classify"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen from the model's distribution."""

    temperature: float = 0.0
    """0 takes the most probable token."""
    top_p: float = 1.0
    """Nucleus sampling (Holtzman et al. 2020): the smallest set of tokens that holds this probability."""
    top_k: int = 0
    """0 keeps all tokens."""
    seed: int = 0


class Tokenizer(Protocol):
    """Text to token ids and back."""

    def encode(self, text: str) -> list[int]:
        """Ids of `text` as a prompt: what stands at the beginning of a document is put before it."""
        ...

    def decode(self, ids: Many[int]) -> str:
        """Text of `ids` without special tokens; bytes that end inside a character give U+FFFD."""
        ...


class Sequence(Protocol):
    """One generation in progress. The engine keeps its cache until it has finished or is ended."""

    tokens: list[int]
    """Tokens generated so far, without the end token."""

    @property
    def prompt_tokens(self) -> int: ...

    @property
    def finish(self) -> Literal["stop", "length"] | None:
        """None while it goes on; `stop` after the end token, `length` at the limit or the end of the context."""
        ...


class Engine(Protocol):
    """A loaded model. One thread at a time may call it."""

    model_id: str
    """The label of the folder it was opened from; a server replaces it by the Asset's id."""
    tasks: frozenset[Task]
    context_tokens: int
    """Longest prompt and answer together; 0 where there is no bound."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Raises Missing where the model does not generate."""
        ...

    def start(self, prompt_ids: Many[int], sampling: Sampling, max_tokens: int) -> Sequence:
        """A new sequence; nothing is computed yet. Raises Invalid where the prompt does not fit the context."""
        ...

    def step(self, sequences: Many[Sequence]) -> list[int | None]:
        """One more token for each sequence, in one batch; None for one that has ended. New ones may join at any step."""
        ...

    def end(self, sequence: Sequence) -> None:
        """Gives the memory of a sequence back; `step` does so itself for one that has finished."""
        ...

    def score(self, texts: Many[str]) -> list[float]:
        """Bits of each text, from empty context and with its end: -log2 p(text, end). Raises Missing without `generate`."""
        ...

    def classify(self, texts: Many[str]) -> list[dict[str, float]]:
        """Scores of the labels for each text; they sum to 1, the highest is the answer. Raises Missing without `classify`."""
        ...


class Backend(Protocol):
    """Opens the folders of one kind of model."""

    def open(self, path: Path, *, threads: int = 0, base: Path | None = None) -> Engine:
        """Loads the model at `path`. `base` is the folder of the base model for an adapter. Raises Broken on damage."""
        ...


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `touyan.json` of a model Asset says about how to use it."""

    backend: str
    tasks: frozenset[Task]


def read_card(path: Path) -> ModelCard:
    """Reads `touyan.json` in a model folder. Raises Broken where it is absent or not of the format."""
    try:
        card = json.loads((path / "touyan.json").read_text(encoding="utf-8"))
        return ModelCard(str(card["backend"]), frozenset(cast(list[Task], card["tasks"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Broken(
            "model-card", f"{path} has no readable touyan.json: {error!r}", "make the model again or fetch it again"
        ) from error


def find_backend(name: str) -> Backend:
    """The backend of this name. Raises Missing with the names there are."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        raise Missing(
            "no-backend",
            f"no backend is called {name!r}",
            f"known: {', '.join(sorted(found)) or 'none'}; install the one it needs",
        )
    return cast(Backend, found[name].load())


def open_model(path: Path, *, threads: int = 0, base: Path | None = None) -> Engine:
    """Opens a model folder with the backend that its `touyan.json` names."""
    return find_backend(read_card(path).backend).open(path, threads=threads, base=base)
