"""The self-test of a site: what it finds before anything is sent."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from touyan.compute.resources import read_capacity
from touyan.compute.site.check import check
from touyan.compute.site.home import SiteHome, require_home
from touyan.compute.site.join import driver_name, open_driver
from touyan.compute.site.policy import Policy
from touyan.compute.site.site_file import read_policy
from touyan.compute.site.template import TEMPLATE
from touyan.core.errors import Invalid, Missing

GOOD = Policy({"acme": "key"}, {"acme/ann": "ann"})


def findings(root: Path, policy: Policy, driver: str = "local") -> dict[str, str]:
    """Code of what was found wrong, by what was looked at; empty: good."""
    return {f.what: f.error.code if f.error else "" for f in check(SiteHome(root), policy, driver)}


def test_a_site_that_works_says_so_in_every_line(tmp_path: Path) -> None:
    found = findings(tmp_path / "site", GOOD)
    assert found == dict.fromkeys(["folder", "disk", "python", "driver", "roots", "accounts", "pools", "hours"], "")


def test_everything_that_fails_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho 0.0.1\n")
    (tmp_path / "python").chmod(0o755)
    found = findings(tmp_path, Policy({}, {}, python=str(tmp_path / "python")), "slurn")
    assert {w: c for w, c in found.items() if c} == {"python": "other-touyan", "driver": "no-driver", "accounts": "no-accounts"}


def test_a_driver_gets_the_owners_settings_and_refuses_what_it_does_not_know() -> None:
    with pytest.raises(Invalid) as refusal:
        open_driver("local", Policy({}, {}, driver={"partition": "main"}))
    assert "driver.partition" in refusal.value.message
    with pytest.raises(Missing) as unknown:
        open_driver("slurn", GOOD)
    assert "slurm" in unknown.value.hint


def test_a_folder_without_a_policy_is_no_site(tmp_path: Path) -> None:
    with pytest.raises(Missing) as refusal:
        require_home(tmp_path)
    assert "touyan join --template" in refusal.value.hint
    assert driver_name(SiteHome(tmp_path), "") == "local"


def test_a_template_that_nobody_edited_is_no_policy(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(TEMPLATE)
    assert findings(tmp_path, read_policy(tmp_path / "site.yaml"))["roots"] == "no-root"


def test_an_accelerator_that_nobody_lists_is_told_and_not_refused(tmp_path: Path) -> None:
    capacity = read_capacity({"pools": [{"name": "main", "classes": [{"name": "a", "nodes": 1, "model": "a808", "devices": 2}]}]})
    policy = Policy({"acme": "key"}, {"acme/ann": "ann"}, capacity=capacity)
    told = next(f for f in check(SiteHome(tmp_path), policy, "local") if f.what == "pools")
    assert told.is_good
    assert "by name only: a808" in told.words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another account")
def test_an_interpreter_that_an_account_cannot_run_is_found_before_its_jobs_fail(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (closed / "python").chmod(0o755)
    policy = Policy({"acme": "key"}, {"acme/ann": "nobody"}, python=str(closed / "python"))
    assert findings(tmp_path, policy)["accounts"] == "closed-python"
