"""What a cluster holds of one kind, kept current by a watch; by lists where no watch holds.

Owns list-then-watch (kubernetes.io/docs/reference/using-api/api-concepts, efficient detection of changes). Knows nothing of Jobs.
Invariant: what it tells is at most a watch's length old, also where a connection died unnoticed, and a list is taken anew whenever
no watch runs: it was refused, it broke, it reached its end, or its version expired.
"""

from __future__ import annotations

import threading

from touyan.compute.drivers.kubernetes_api import Json, KubernetesApi
from touyan.core.errors import TouyanError

CHANGES = ("ADDED", "MODIFIED", "DELETED")


class Mirror:
    """One collection of a cluster. For any number of threads."""

    def __init__(self, api: KubernetesApi, path: str, selector: str) -> None:
        self.trouble: TouyanError | None = None
        """Why the last watch ended before its time."""
        self._api = api
        self._path = path
        self._selector = selector
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Json] = {}
        self._watch: threading.Thread | None = None

    def items(self) -> list[Json]:
        """All of it. Raises what the API's list raises."""
        with self._lock:
            if self._watch is None or not self._watch.is_alive():
                self._list()
            return list(self._known.values())

    def _list(self) -> None:
        found = self._api.get(self._path, labelSelector=self._selector)
        self._known = {_key(one): one for one in found["items"]}
        version = str(found["metadata"].get("resourceVersion", ""))
        self._watch = threading.Thread(target=self._follow, args=(version,), name="touyan-watch", daemon=True)
        self._watch.start()

    def _follow(self, version: str) -> None:
        """The course of one watch; its thread's end has the next reader list again."""
        try:
            for event in self._api.watch(self._path, labelSelector=self._selector, resourceVersion=version):
                if event.get("type") not in CHANGES:  # ERROR 410: the version is too old to begin from
                    return
                self._apply(event)
        except TouyanError as error:
            self.trouble = error

    def _apply(self, event: Json) -> None:
        one = event["object"]
        with self._lock:
            if event["type"] == "DELETED":
                self._known.pop(_key(one), None)
            else:
                self._known[_key(one)] = one


def _key(one: Json) -> tuple[str, str]:
    return str(one["metadata"].get("namespace", "")), str(one["metadata"]["name"])
