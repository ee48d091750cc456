"""A flow of which every step runs on a joined Ray site: hub, agent and a real Ray of two nodes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from network import Network, until
from ray_site import ray_site

from touyan.store.home import Store

HAS_RAY = find_spec("ray") is not None and find_spec("aiohttp") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_RAY, reason="needs a Ray with its dashboard: pip install 'ray[default]'"),
]
FLOW = """
touyan: 1
name: mine
sources:
  papers:
    path: documents/
    provider: my-organisation
    rights: {authority: own-production, personal: none, personal_state: none, security: general, purposes: [refine, train, evaluate]}
steps:
  refine: {recipe: office, fan_out: ray}
"""


def test_a_flow_is_refined_on_a_ray_site(live_store: Store, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("The site lends its machines to the network. " * 20)
    (tmp_path / "flow.yaml").write_text(FLOW)
    folder = Path(tempfile.mkdtemp(prefix="ry", dir="/tmp"))
    with ray_site(folder) as address, Network(live_store, tmp_path) as network:
        home = network.site("rays", driver={"clusters": {"ann": address}})
        network.join(home, driver="ray")
        run = network.start("run", "flow.yaml", "--json", out=subprocess.PIPE)
        said, _ = run.communicate(timeout=300)
        assert run.returncode == 0, said
        until(lambda: not [p for p in (home / "parties").rglob("*") if p.is_file()], "wiping")
    shutil.rmtree(folder)
    jobs = live_store.jobs.list("default")
    assert {j.name: j.state for j in jobs} == {"read/papers": "done", "refine": "done"}
    assert {a.site for j in jobs for a in live_store.jobs.attempts(j.id)} == {"rays"}
