"""The self-test of a site: what it finds before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from touyan.compute.site.check import check
from touyan.compute.site.home import SiteHome, require_home
from touyan.compute.site.join import driver_name, open_driver
from touyan.compute.site.policy import Policy
from touyan.core.errors import Invalid, Missing

GOOD = Policy({"acme": "key"}, {"acme/ann": "ann"})


def findings(root: Path, policy: Policy, driver: str = "local") -> dict[str, str]:
    """Code of what was found wrong, by what was looked at; empty: good."""
    return {f.what: f.error.code if f.error else "" for f in check(SiteHome(root), policy, driver)}


def test_a_site_that_works_says_so_in_every_line(tmp_path: Path) -> None:
    found = findings(tmp_path / "site", GOOD)
    assert found == dict.fromkeys(["folder", "disk", "python", "driver", "accounts", "hours"], "")


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
    assert "lend-a-cluster" in refusal.value.hint
    assert driver_name(SiteHome(tmp_path), "") == "local"
