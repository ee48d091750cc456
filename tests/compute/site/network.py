"""A hub and sites as real processes: `touyan up` and `touyan join` over a store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touyan.store.home import Store

PATIENCE_S = 120.0
TOUYAN = [sys.executable, "-m", "touyan.cli.main"]


def until(holds: Callable[[], Any], what: str) -> None:
    """Waits for a condition, never for a time."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, f"it never came: {what}"
        time.sleep(0.05)


@dataclass
class Network:
    """A context manager; no process outlives it."""

    store: Store
    root: Path
    steps: str = ""
    """Further steps that sites know, as TOUYAN_STEPS has them."""
    hub: str = ""
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> Network:
        up = self.start("up", "--port", "0", "--no-local", "--json", out=subprocess.PIPE)
        assert up.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            text += up.stdout.readline()
            assert up.poll() is None, "the hub ended"
        self.hub = json.loads(text)["hub"]
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def start(self, *words: str, out: Any = subprocess.DEVNULL) -> subprocess.Popen[str]:
        path = os.pathsep.join(filter(None, sys.path))
        environment = os.environ | {"TOUYAN_HOME": str(self.store.home), "PYTHONPATH": path, "TOUYAN_STEPS": self.steps}
        log = (self.root / "log.txt").open("a")
        process = subprocess.Popen([*TOUYAN, *words], env=environment, cwd=self.root, text=True, stdout=out, stderr=log)
        log.close()
        self._processes.append(process)
        return process

    def site(self, name: str, accounts: Mapping[str, str] | None = None, **policy: Any) -> Path:
        """The folder of a site that may join under the name; its token lies beside its policy."""
        home = self.root / name
        home.mkdir(parents=True)
        me = self.store.me()
        organisation = self.store.parties.get(me.party).organisation
        fields: dict[str, Any] = {
            "site": 1, "roots": {organisation: self.store.root_key.key_id}, "accounts": accounts or {me.party: "ann"}, "pace_s": 0.3,
            "pools": [{"name": "main", "classes": [{"name": "n", "nodes": 1, "cpus": 64, "memory_bytes": 1 << 38}]}],
        }  # fmt: skip
        (home / "site.yaml").write_text(json.dumps(fields | policy))
        (home / "token").write_text(self.store.sites.invite(me, name, me.party, trust="general"))
        return home

    def join(self, home: Path, *words: str, driver: str = "local") -> subprocess.Popen[str]:
        token = home / "token"
        given = ["--token", token.read_text()] if not (home / "secret.json").exists() else []
        return self.start("join", self.hub, "--home", str(home), "--driver", driver, *given, *words)
