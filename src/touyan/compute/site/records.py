"""What an agent remembers of the Attempts it took: `attempts/<attempt>/{claim,state}.json`.

Owns the phases of an Attempt at a site and the moves between them. Knows nothing of what is done in a phase. Invariant: an Attempt
counts as taken once its state stands, and each move is one rename; so a kill leaves it in the phase before or after.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from touyan.compute.folder import AttemptFolder, remove
from touyan.compute.site.home import SiteHome, keep, read_kept
from touyan.core.canonical import sha256_hex
from touyan.core.errors import Conflict

KEEP_PAST_S = 90 * 24 * 3600
Phase: TypeAlias = Literal["claimed", "staged", "started", "stopping", "finished", "ended", "kept", "wiping"]
"""claimed: taken, its inputs come · staged: ready to run · started: handed to the driver, or about to be · stopping: told to end ·
finished: its payload has ended, its files are being hashed · ended: the hub is told · kept: told, its shards wait for the next
Attempt · wiping: its files are removed."""
MOVES: Mapping[Phase, tuple[Phase, ...]] = {
    "claimed": ("staged", "ended", "wiping"),
    "staged": ("started", "ended", "wiping"),
    "started": ("stopping", "finished", "ended"),
    "stopping": ("finished", "wiping"),
    "finished": ("ended", "wiping"),
    "ended": ("ended", "kept", "wiping"),
    "kept": ("wiping",),
    "wiping": (),
}
Wire: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """Where an Attempt stands at this site."""

    attempt: str
    token: int
    job: str
    account: str
    """Empty where it was refused before it had a folder."""
    phase: Phase
    word: str = ""
    """Why it is being stopped: cancel, lost or closed."""
    exit: Wire | None = None
    """How its payload ended."""
    usage: Wire | None = None
    ended: Wire | None = None
    """What the hub is told, without attempt and token."""
    since_ms: int = 0
    """When it came into this phase, by the wall clock."""

    @property
    def is_held(self) -> bool:
        """Whether the hub is to count it as ours."""
        return self.phase in ("claimed", "staged", "started", "stopping", "finished")


class Records:
    """The Attempts of one site."""

    def __init__(self, home: SiteHome) -> None:
        self._home = home

    def load(self) -> dict[str, State]:
        """All Attempts by id; a folder without a state was never taken, and is removed."""
        found: dict[str, State] = {}
        for folder in sorted(self._home.attempts.iterdir()):
            value = read_kept(folder / "state.json")
            if value is None:
                remove(folder)
                continue
            found[value["attempt"]] = State(**value)
        return found

    def take(self, state: State, claim: Wire) -> State:
        """Remembers a claim: the state comes last, and makes it count."""
        folder = self._place(state.attempt)
        folder.mkdir(mode=0o700, exist_ok=True)
        keep(folder / "claim.json", claim)
        keep(folder / "state.json", asdict(state))
        return state

    def claim(self, attempt: str) -> dict[str, Any]:
        return read_kept(self._place(attempt) / "claim.json") or {}

    def move(self, state: State, phase: Phase, now_ms: int, **changes: Any) -> State:
        """The state in its next phase. Raises Conflict on a move that is none."""
        if phase not in MOVES[state.phase]:
            words = f"{state.attempt} cannot go from {state.phase} to {phase}"
            raise Conflict("bad-move", words, "report it: an agent never asks for this")
        moved = replace(state, phase=phase, since_ms=now_ms, **changes)
        keep(self._place(state.attempt) / "state.json", asdict(moved))
        return moved

    def is_past(self, attempt: str) -> bool:
        """Whether an Attempt has ended here for good."""
        name = _file_name(attempt)
        return (self._home.wiped / name).exists() or (self._home.past / name).exists()

    def prepare_receipt(self, state: State, receipt: Wire) -> None:
        """Keeps a receipt beside the record; the first one stands, because what came after found less."""
        path = self._place(state.attempt) / "receipt.json"
        if not path.exists() and not self.is_past(state.attempt):
            keep(path, {"attempt": state.attempt, **receipt})

    def close(self, state: State) -> None:
        """Forgets an Attempt but for its name, and for the receipt that the hub is to hear of."""
        place, name = self._place(state.attempt), _file_name(state.attempt)
        if (place / "receipt.json").exists():
            (place / "receipt.json").rename(self._home.wiped / name)
        elif not self.is_past(state.attempt):
            keep(self._home.past / name, {"attempt": state.attempt})
        (place / "state.json").unlink(missing_ok=True)
        remove(place)

    def receipts(self) -> dict[Path, dict[str, Any]]:
        """Those that the hub has not heard of."""
        found = {path: read_kept(path) for path in sorted(self._home.wiped.glob("*.json"))}
        return {path: value for path, value in found.items() if value is not None}

    def told(self, receipts: Mapping[Path, object]) -> None:
        """The hub has heard of these; of Attempts long past the names are dropped too."""
        for path in receipts:
            path.rename(self._home.past / path.name)
        old_s = time.time() - KEEP_PAST_S
        for path in self._home.past.iterdir() if receipts else ():
            if path.stat().st_mtime < old_s:
                path.unlink()

    def folder(self, state: State) -> AttemptFolder:
        return self._home.folder(state.account, state.job, state.attempt)

    def _place(self, attempt: str) -> Path:
        return self._home.attempts / sha256_hex(attempt.encode())[:32]


def _file_name(attempt: str) -> str:
    return f"{sha256_hex(attempt.encode())[:32]}.json"
