"""Running a function over shards: in this process, in several, or on the nodes of a Ray cluster.

Owns where a task runs and in what order tasks start. Knows nothing about what they do. Invariant: a task and its result are
small and say where their data lie; the data themselves go through files that every worker sees under the same path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from touyan.core.errors import Broken, Missing

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import ray

T = TypeVar("T")
R = TypeVar("R")
Place = Literal["processes", "ray"]
"""processes: this process, or several of this machine. ray: the cluster at RAY_ADDRESS."""
FanOut: TypeAlias = Callable[[Callable[[T], R], Sequence[T]], Iterator[tuple[T, R]]]
"""Runs a function on tasks and gives each with its result, in the order in which they end. Tasks start in the order given:
put the largest first, and the last ones to end are small."""

ADDRESS = "RAY_ADDRESS"
QUEUED_TASKS = 1_000
"""Tasks that Ray holds at once: each takes memory of the driver, and a corpus may have 100,000 shards."""


@contextmanager
def fan_out(place: Place, processes: int) -> Generator[FanOut[Any, Any]]:
    """A way to run tasks, until the context ends. Raises Missing without Ray, Broken where its cluster does not answer."""
    if place == "ray":
        with _ray() as everywhere:
            yield everywhere
    elif processes <= 1:
        yield _here
    else:
        with _processes(processes) as several:
            yield several


def _here(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
    for task in tasks:
        yield task, function(task)


@contextmanager
def _processes(n: int) -> Generator[FanOut[Any, Any]]:
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial
    from multiprocessing import get_context

    # Spawned, not forked: pyarrow's threads do not survive a fork.
    executor = ProcessPoolExecutor(n, mp_context=get_context("spawn"))
    try:
        yield partial(_executed, executor)
    finally:
        executor.shutdown(cancel_futures=True)


def _executed(executor: Executor, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
    from concurrent.futures import as_completed

    futures = {executor.submit(function, task): task for task in tasks}
    for future in as_completed(futures):
        yield futures.pop(future), future.result()


@contextmanager
def _ray() -> Generator[FanOut[Any, Any]]:
    try:
        import ray
    except ImportError as error:
        raise Missing("no-ray", "the flow asks for Ray, which is not installed", "pip install 'touyan[ray]'") from error

    address = os.environ.get(ADDRESS, "")
    if not address:
        raise Missing(
            "no-ray-address", "the flow asks for Ray, but nobody said where it is", f"set {ADDRESS}, such as 10.0.0.1:6379"
        )
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        hint = f"see whether `ray status --address {address}` answers on this machine"
        raise Broken("no-ray-cluster", f"Ray does not answer at {address}: {error}", hint) from error
    try:
        yield _on_cluster
    finally:
        ray.shutdown()


def _on_cluster(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
    """Tasks of one CPU each, wherever one is free; Ray repeats those whose node is lost."""
    import ray

    remote = ray.remote(num_cpus=1, max_retries=3)(_call)
    waiting, running = iter(tasks), {}
    while True:
        while len(running) < QUEUED_TASKS and (task := next(waiting, None)) is not None:
            running[remote.remote(function, task)] = task
        if not running:
            return
        for reference in ray.wait(list(running))[0]:
            yield running.pop(reference), _result(reference)


def _result(reference: ray.ObjectRef[Any]) -> Any:
    """What a task gave; what it raised is raised here, without Ray's wrapping, so that an error keeps its family and its hint."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


def _call(function: Callable[[T], R], task: T) -> R:
    return function(task)
