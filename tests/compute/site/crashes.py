"""Ending an agent between any two lines: a trace function counts the lines of the site's own code and raises at one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from site_world import Killed

import touyan.compute.site as site_package

CODE = str(Path(site_package.__file__).parent)


Place = tuple[str, int]


def run_until(line: int, call: Callable[[], Any]) -> list[Place]:
    """Calls and raises Killed before the `line`-th line that is run; returns all that were where the call came to its end first."""
    places: list[Place] = []

    def at_line(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            places.append((frame.f_code.co_filename, frame.f_lineno))
            if len(places) == line:
                raise Killed
        return at_line

    def at_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return at_line if frame.f_code.co_filename.startswith(CODE) else None

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        call()
    finally:
        sys.settrace(before)
    return places
