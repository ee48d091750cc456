"""One round of a site's agent: look at the driver, ask the hub, and do what both say.

Owns the order of things. What it must remember is in `records.py`; what it holds in memory (pieces of work under way, payloads the
driver knows already) can be lost at any line. Knows nothing of how often it is called. Invariant: a payload is started at most
once, after a lease was confirmed, and its heartbeat is touched only after the hub said `keep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from touyan.compute.driver import Driver
from touyan.compute.site.accounts import acting_as
from touyan.compute.site.admission import admit
from touyan.compute.site.cache import Cache
from touyan.compute.site.course import Course
from touyan.compute.site.home import SiteHome
from touyan.compute.site.hub_calls import NO_ANSWER, HubCalls
from touyan.compute.site.messages import SYNC_VERSION, Answer, Verdict, Wire, Word, read_answer, read_claim
from touyan.compute.site.policy import Policy
from touyan.compute.site.publish import clean_record, progress_told, told_manifest, upload
from touyan.compute.site.records import Records, State
from touyan.compute.site.wipe import wipe
from touyan.core.errors import Broken, Conflict, Invalid, TouyanError
from touyan.core.seam import Seam

FENCE_SHARE = 0.75
"""Of a lease: after so long without a word the wrapper ends the payload. A confirmation that took longer than the rest of the
lease is not passed on; so a payload has ended before its lease has, whatever the line did."""
WORK_SHARE = 0.2
"""Of a lease: staging, hashing and uploads stop for the next sync after so long."""
MOST_ENDED_BYTES = 6 << 20
"""Of what one body tells; the rest goes with the next."""
MOST_WANTED = 1000
NO_ROOM = "the site has no room for it now"
FAREWELL_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a round."""

    pace_s: float
    """Until the next one, if nothing happens before."""
    is_soon: bool
    """Whether there is something to say or to go on with at once."""
    held: int
    """Attempts that something is still to be done for."""


class Round:
    """Rounds of one agent. `tell` hears of what an owner may want to read in a log."""

    def __init__(
        self,
        home: SiteHome,
        policy: Policy,
        driver: Driver,
        hub: HubCalls,
        seam: Seam,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._policy = policy
        self._hub = hub
        self._seam = seam
        self._tell = tell
        self._records = Records(home)
        self._cache = Cache(home.cache, round(policy.cache_gib * (1 << 30)))
        self._course = Course(self._records, policy, driver, hub, self._cache, seam)
        self._boot = seam.token(8)
        self._has_told_capacity = False
        self._works: dict[str, Iterator[Any]] = {}
        self._states: dict[str, State] = {}
        self._has_news = False

    def run(self, may_claim: bool = True) -> Next:
        """Raises Broken `no-answer` where the hub is silent; everything else is told to it, or to the owner."""
        self._states, self._has_news = self._records.load(), False
        self._clean()
        self.look()
        self._close_where_closed()
        asked_s = self._seam.monotonic_s()
        answer = self._sync(may_claim)
        took_s = self._seam.monotonic_s() - asked_s
        self._heed_words(answer, took_s)
        self._heed_verdicts(answer.ended)
        self._take(answer.claims)
        self._work(self._seam.monotonic_s() + answer.lease_s * WORK_SHARE)
        self._clean()
        self._cache.trim(self._awaited())
        held = sum(s.phase != "kept" for s in self._states.values())
        return Next(answer.pace_s, bool(self._works) or self._has_news, held)

    def give_back(self) -> None:
        """The agent ends, and with it its payloads: they are stopped, and the hub hears of it, with their checkpoints."""
        self._states = self._records.load()
        for state in [s for s in self._states.values() if s.phase == "started"]:
            self._set(self._course.stop(state, "closed"))
        for _ in range(FAREWELL_ROUNDS):
            if not self.run(may_claim=False).is_soon:
                return

    def look(self) -> bool:
        """Whether the driver says that a payload has ended; it is remembered then."""
        ended = False
        for state in [s for s in self._states.values() if s.phase in ("started", "stopping")]:
            try:
                moved = self._course.look(state)
            except (TouyanError, OSError) as error:
                self._tell(f"{state.attempt}: {error}")
                self._reopen(state)
                continue
            if moved is not state:
                self._states[state.attempt], ended = moved, True
        return ended

    def _close_where_closed(self) -> None:
        if self._policy.when_closed == "stop" and not self._policy.is_open(self._seam.now_ms()):
            for state in [s for s in self._states.values() if s.phase == "started"]:
                self._states[state.attempt] = self._course.stop(state, "closed")

    def _sync(self, may_claim: bool) -> Answer:
        """Tells everything and reads the answer; receipts were heard then."""
        receipts = self._records.receipts()
        ended = self._ended_told()
        body: dict[str, Any] = {
            "sync": SYNC_VERSION, "boot": self._boot, "want": self._want() if may_claim else 0, "pace_s": self._policy.pace_s,
            "capacity": None if self._has_told_capacity else self._policy.capacity.to_json(),
            "held": [self._held_told(s) for s in self._held()], "ended": ended,
            "usage": [dict(s.usage) for s in self._states.values() if s.usage and s.phase == "ended"],
            "wiped": list(receipts.values()),
        }  # fmt: skip
        answer = read_answer(self._hub.sync(body))
        self._has_told_capacity = True
        self._records.told(receipts)
        return answer

    def _want(self) -> int:
        if not self._policy.is_open(self._seam.now_ms()):
            return 0
        return min(MOST_WANTED, max(0, self._policy.slots - len(self._held())))

    def _held(self) -> list[State]:
        """What the hub is to count as ours: also an end whose bytes are on their way."""
        return [s for s in self._states.values() if s.is_held or (s.phase == "ended" and s.attempt in self._works)]

    def _held_told(self, state: State) -> dict[str, Any]:
        is_running = state.phase != "claimed"
        progress = progress_told(self._records.folder(state), state.account) if is_running and state.phase != "staged" else None
        word = "running" if is_running else "claimed"
        return {"attempt": state.attempt, "token": state.token, "state": word, "progress": progress}

    def _ended_told(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        size = 0
        for state in self._states.values():
            if state.phase == "ended" and state.ended is not None and state.attempt not in self._works:
                size += len(repr(state.ended))
                if told and size > MOST_ENDED_BYTES:
                    break
                told.append({"attempt": state.attempt, "token": state.token, **state.ended})
        return told

    def _heed_words(self, answer: Answer, took_s: float) -> None:
        is_fresh = took_s < answer.lease_s * (1 - FENCE_SHARE)
        for state in self._held():
            word = answer.words.get(state.attempt, "lost")
            if word == "keep" and is_fresh:
                self._confirmed(state, answer.lease_s * FENCE_SHARE)
            elif word != "keep":
                self._give_up(state, word)

    def _confirmed(self, state: State, fence_s: float) -> None:
        """The hub says that the Attempt is ours, now."""
        if state.phase == "staged":
            self._set(self._course.start(state, fence_s))
        elif state.phase == "started":
            try:
                with acting_as(state.account):
                    self._records.folder(state).heartbeat.touch()
            except OSError as error:  # a payload can spoil its own folder: it fences itself, and nobody else
                self._tell(f"{state.attempt}: {error}")
                self._reopen(state)

    def _reopen(self, state: State) -> None:
        """A payload may have closed its own folder to itself. The folder above is ours, so that this is no link to another."""
        with suppress(OSError):
            self._records.folder(state).root.chmod(0o700)

    def _give_up(self, state: State, word: Word) -> None:
        self._works.pop(state.attempt, None)
        self._tell(f"{state.attempt}: {word}")
        if state.phase == "started":
            self._set(self._course.stop(state, word))
        elif state.phase != "stopping":
            self._set(self._move(state, "wiping"))

    def _heed_verdicts(self, verdicts: Mapping[str, Verdict]) -> None:
        for attempt, verdict in verdicts.items():
            state = self._states.get(attempt)
            if state is None or state.phase != "ended" or state.ended is None:
                continue
            if verdict.is_counted:
                self._counted(state, verdict)
            elif attempt not in self._works and (told := told_manifest(state.ended, self._records.folder(state))) is not None:
                self._works[attempt] = upload(self._hub, *told, verdict.missing, verdict.capability, state.account)

    def _counted(self, state: State, verdict: Verdict) -> None:
        """What an interrupted Attempt left is kept for the next one; all else goes, also what was kept of earlier ones."""
        if verdict.refusal:
            self._tell(f"{state.attempt}: {verdict.refusal}")
        ended = state.ended or {}
        is_kept = verdict.refusal is None and state.account and ("released" in ended or ended.get("may_retry"))
        self._set(self._move(state, "kept" if is_kept else "wiping"))
        if not is_kept and state.account:
            self._drop_kept(state)

    def _drop_kept(self, state: State) -> None:
        for other in [s for s in self._states.values() if s.phase == "kept" and (s.account, s.job) == (state.account, state.job)]:
            self._set(self._move(other, "wiping"))

    def _take(self, claims: tuple[Wire, ...]) -> None:
        left = self._want()
        for value in claims:
            try:
                claim = read_claim(value)
                if claim.attempt in self._states or self._records.is_past(claim.attempt):
                    self._require_same(value)
                    continue
                if left <= 0:
                    self._end(claim.attempt, claim.token, {"released": NO_ROOM})
                    continue
                spec, account = admit(claim, self._policy)
            except TouyanError as error:
                self._refuse(value, error)
                continue
            job = f"{claim.job}.{spec.key[:12]}"  # work is handed on between Attempts of one step key only, whatever a hub calls a Job
            state = State(claim.attempt, claim.token, job, account, "claimed", since_ms=self._seam.now_ms())
            self._set(self._records.take(state, value))
            left -= 1

    def _require_same(self, value: Wire) -> None:
        """A claim that is handed out again changes nothing; another one under its name is none. Raises Conflict."""
        held = self._states.get(value["attempt"])
        if held is None or (held.token, self._records.claim(held.attempt).get("spec")) != (value["token"], value["spec"]):
            words = f"{value['attempt']} was handed to this site before"
            raise Conflict("claim-twice", words, "an Attempt is carried out once; the job needs a new one")

    def _refuse(self, value: Wire, error: TouyanError) -> None:
        """The hub hears of a refusal as of any other end; of a claim that is held here already the holder's own end is told."""
        attempt, token = value.get("attempt"), value.get("token")
        self._tell(f"refused {str(attempt)[:120]!r}: {error}")
        if not isinstance(attempt, str) or attempt in self._states or type(token) is not int or token < 0:
            return
        self._end(attempt, token, {"error": clean_record(error), "may_retry": not isinstance(error, (Invalid, Conflict))})

    def _end(self, attempt: str, token: int, ended: dict[str, Any]) -> None:
        """The end of an Attempt that was never taken: there is no folder of it, and the hub is told."""
        state = State(attempt[:200], token, "", "", "ended", ended=ended, since_ms=self._seam.now_ms())
        self._set(self._records.take(state, {}))
        self._has_news = True

    def _work(self, until_s: float) -> None:
        """Goes on with all that is under way, in turn, a piece each."""
        for state in self._states.values():
            if state.attempt not in self._works and (work := self._course.work(state)) is not None:
                self._works[state.attempt] = work
        while self._works and self._seam.monotonic_s() < until_s:
            for attempt in list(self._works):
                self._piece(self._states[attempt])

    def _piece(self, state: State) -> None:
        try:
            next(self._works[state.attempt])
            return
        except StopIteration as done:
            moved, self._has_news = self._course.done(state, done.value), True
        except (TouyanError, OSError) as error:
            del self._works[state.attempt]
            if isinstance(error, TouyanError) and error.code == NO_ANSWER:
                raise
            moved = self._course.failed(state, error)
            self._has_news |= moved is not state
            self._tell(f"{state.attempt}: {error}")
        self._works.pop(state.attempt, None)
        self._set(moved)

    def _clean(self) -> None:
        """Removes what is to go; kept work goes after its time."""
        old_ms = self._seam.now_ms() - round(self._policy.keep_h * 3_600_000)
        for state in list(self._states.values()):
            if state.phase == "kept" and state.since_ms < old_ms:
                state = self._set(self._move(state, "wiping"))
            if state.phase == "wiping":
                self._wipe(state)

    def _wipe(self, state: State) -> None:
        try:
            wipe(self._records, state)
        except (Broken, OSError) as error:
            self._tell(f"{state.attempt}: {error}")
        else:
            del self._states[state.attempt]

    def _awaited(self) -> set[str]:
        """Digests that Attempts not yet staged wait for."""
        claims = [read_claim(self._records.claim(s.attempt)) for s in self._states.values() if s.phase == "claimed"]
        return {
            ref.sha256 for claim in claims for manifest in (*claim.inputs, claim.checkpoint) if manifest for ref in manifest.files
        }

    def _move(self, state: State, phase: Any, **changes: Any) -> State:
        return self._records.move(state, phase, self._seam.now_ms(), **changes)

    def _set(self, state: State) -> State:
        self._states[state.attempt] = state
        return state
