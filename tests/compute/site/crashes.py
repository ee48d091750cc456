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


def run_until(line: int, call: Callable[[], Any]) -> int:
    """Calls and raises Killed before the `line`-th line; returns how many there were where the call came to its end first."""
    count = 0

    def at_line(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            if count == line:
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
    return count
