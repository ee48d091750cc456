"""A mirror of a collection: lists once, follows changes, and lists again where no watch holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from touyan.compute.drivers.engine import Unreachable
from touyan.compute.drivers.kubernetes_watch import Mirror
from touyan.core.errors import Refused, TouyanError

Json = dict[str, Any]
PATIENCE_S = 20.0


def pod(name: str, phase: str = "Pending") -> Json:
    return {"metadata": {"namespace": "acme", "name": name}, "status": {"phase": phase}}


class FakeApi:
    """A collection, and watches that say what the test has them say."""

    def __init__(self) -> None:
        self.held: list[Json] = [pod("a")]
        self.lists = 0
        self.asked: list[dict[str, str]] = []
        self.watch: Callable[..., Iterator[Json]] = self.hold
        self.released = threading.Event()

    def get(self, path: str, **query: str) -> Json:
        self.lists += 1
        return {"metadata": {"resourceVersion": f"v{self.lists}"}, "items": list(self.held)}

    def hold(self, path: str, **query: str) -> Iterator[Json]:
        """A watch on which nothing happens."""
        self.asked.append(query)
        self.released.wait(PATIENCE_S)
        yield from ()

    def saying(self, *events: Json) -> None:
        def watch(path: str, **query: str) -> Iterator[Json]:
            yield from events
            yield from self.hold(path, **query)

        self.watch = watch

    def failing(self, error: TouyanError) -> None:
        def watch(path: str, **query: str) -> Iterator[Json]:
            raise error

        self.watch = watch


@pytest.fixture
def api() -> Iterator[FakeApi]:
    made = FakeApi()
    yield made
    made.released.set()


@pytest.fixture
def mirror(api: FakeApi) -> Mirror:
    return Mirror(api, "/api/v1/pods", "a=b")  # type: ignore[arg-type]


def names(mirror: Mirror) -> dict[str, str]:
    return {p["metadata"]["name"]: p["status"]["phase"] for p in mirror.items()}


def wait_until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE_S * 100)):
        if holds():
            return
        pause.wait(0.01)
    raise TimeoutError


def test_one_list_serves_as_long_as_a_watch_holds(api: FakeApi, mirror: Mirror) -> None:
    for _ in range(50):
        assert names(mirror) == {"a": "Pending"}
    assert api.lists == 1
    wait_until(lambda: bool(api.asked))
    assert api.asked == [{"labelSelector": "a=b", "resourceVersion": "v1"}]


def test_changes_are_followed(api: FakeApi, mirror: Mirror) -> None:
    api.saying(
        {"type": "ADDED", "object": pod("b")}, {"type": "MODIFIED", "object": pod("b", "Running")},
        {"type": "DELETED", "object": pod("a")},
    )  # fmt: skip
    mirror.items()
    wait_until(lambda: names(mirror) == {"b": "Running"})
    assert api.lists == 1


def test_a_version_that_has_expired_is_listed_anew(api: FakeApi, mirror: Mirror) -> None:
    api.watch = lambda path, **query: iter([{"type": "ERROR", "object": {"code": 410}}])
    assert names(mirror) == {"a": "Pending"}
    api.held = [pod("c")]
    wait_until(lambda: names(mirror) == {"c": "Pending"})


@pytest.mark.parametrize(
    "error", [Refused("engine-forbidden", "cannot watch", "see the Role"), Unreachable("Kubernetes", "connection reset")]
)
def test_where_no_watch_holds_every_look_is_a_list(api: FakeApi, mirror: Mirror, error: TouyanError) -> None:
    api.failing(error)
    mirror.items()
    wait_until(lambda: mirror.items() != [] and api.lists >= 3)
    assert mirror.trouble is error


def test_a_list_that_fails_is_heard(api: FakeApi, mirror: Mirror) -> None:
    def get(path: str, **query: str) -> Json:
        raise Unreachable("Kubernetes", "no route to host")

    api.get = get  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        mirror.items()
