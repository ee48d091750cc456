"""A function over tasks in several processes, its results in the order of the tasks.

Owns how many tasks wait at once. Knows nothing about what they do. Invariant: tasks may come from a generator that never ends;
only a few of them, and of their results, are in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
TASKS_AHEAD = 4
"""For each process: enough that none waits for one slow task before it."""


def in_order(function: Callable[[T], R], tasks: Iterable[T], processes: int) -> Iterator[R]:
    """`map(function, tasks)` by `processes` processes; what a task raises is raised in its place."""
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: pyarrow's threads do not survive a fork.
    executor = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    waiting: deque[Future[R]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(function, task))
            if len(waiting) >= TASKS_AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
