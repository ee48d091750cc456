"""An agent as a process: rounds at the hub's pace, or as many as a cron line needs.

Owns the waiting between rounds. Knows nothing of what a round does. Invariant: a hub that is silent is asked again after 1 s, doubling
to 60 s, with jitter, so that 200 agents do not come back at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random

from touyan.compute.site.round import Next, Round
from touyan.core.errors import TouyanError

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
JITTER_SHARE = 0.25
LOOK_S = 0.25
"""Between two looks at whether a payload has ended; an engine's driver answers from a list that is at most a second or two old."""


def serve(rounds: Round, closing: threading.Event, tell: Callable[[str], None], *, gives_back: bool) -> None:
    """Rounds until `closing` is set; with `gives_back`, what runs is given back then: its payloads end with the agent."""
    silence_s = 0.0
    while not closing.is_set():
        try:
            following, silence_s = rounds.run(), 0.0
        except TouyanError as error:
            silence_s = min(LONGEST_WAIT_S, silence_s * 2 or FIRST_WAIT_S)
            tell(str(error))
            _rest(rounds, closing, silence_s * (1 + Random().uniform(-JITTER_SHARE, JITTER_SHARE)))
            continue
        if not following.is_soon:
            _rest(rounds, closing, following.pace_s)
    if gives_back:
        try:
            rounds.give_back()
        except TouyanError as error:
            tell(str(error))


def serve_once(rounds: Round, closing: threading.Event, *, until_idle: bool) -> Next:
    """As many rounds as there is something to say or go on with; with `until_idle` until nothing is held and nothing new comes,
    for a driver whose payloads end with the agent."""
    following = rounds.run()
    while not closing.is_set() and (following.is_soon or (until_idle and following.held)):
        if not following.is_soon:
            _rest(rounds, closing, following.pace_s)
        following = rounds.run()
    return following


def _rest(rounds: Round, closing: threading.Event, seconds: float) -> None:
    """Waits, but no longer than until a payload ends."""
    left_s = seconds
    while left_s > 0 and not closing.wait(min(LOOK_S, left_s)):
        left_s -= LOOK_S
        if rounds.look():
            return
