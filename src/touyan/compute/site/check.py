"""The self-test of a site: what works, before anything is sent anywhere.

Owns the list of checks. Knows nothing of hubs. Invariant: every check gives a line, and a failing one says what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from touyan.compute.rates.table import published
from touyan.compute.site.accounts import user_of
from touyan.compute.site.home import SiteHome
from touyan.compute.site.join import open_driver
from touyan.compute.site.policy import Policy
from touyan.core.errors import Broken, Missing, Refused, TouyanError

LEAST_FREE_BYTES = 2 << 30
PROBE_S = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    words: str
    error: TouyanError | None = None

    @property
    def is_good(self) -> bool:
        return self.error is None


def check(home: SiteHome, policy: Policy, driver: str) -> Iterator[Finding]:
    """Looks at everything that must work; yields as it goes, because an engine may take its time."""
    looks: dict[str, Callable[[], str]] = {
        "folder": partial(_folder, home),
        "disk": partial(_disk, home),
        "python": partial(_python, policy),
        "driver": partial(_driver, driver, policy),
        "roots": partial(_roots, policy),
        "accounts": partial(_accounts, policy),
        "pools": partial(_pools, policy),
        "hours": partial(_hours, policy),
    }
    for what, look in looks.items():
        try:
            yield Finding(what, look())
        except TouyanError as error:
            yield Finding(what, error.message, error)


def _folder(home: SiteHome) -> str:
    try:
        home.create()
    except OSError as error:
        raise Broken(
            "site-folder", f"{home.root} cannot be written: {error.strerror}", "give another folder: --home DIR"
        ) from error
    return str(home.root)


def _disk(home: SiteHome) -> str:
    free = shutil.disk_usage(home.root).free
    if free < LEAST_FREE_BYTES:
        words = f"{free / (1 << 30):.1f} GiB are free in {home.root}"
        raise Broken("disk-full", words, "free some, or lower cache_gib in site.yaml")
    return f"{free / (1 << 30):.0f} GiB free"


def _python(policy: Policy) -> str:
    """The payloads' interpreter must find the same Touyan as the agent."""
    from touyan import __version__

    python = policy.python or sys.executable
    program = "import touyan, touyan.flow.worker; print(touyan.__version__)"
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, timeout=PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing("no-python", f"{python} does not run: {error}", "correct `python` in site.yaml") from error
    found = done.stdout.strip()
    if found != __version__:
        words = f"{python} finds Touyan {found or 'nowhere'}; the agent is {__version__}"
        raise Missing("other-touyan", words, f"install it there: {python} -m pip install touyan=={__version__}")
    return f"{python} with Touyan {found}"


def _driver(name: str, policy: Policy) -> str:
    """An engine is asked for a payload that there is not: it must answer, and answer no."""
    driver = open_driver(name, policy)
    driver.sweep("touyan-self-test-0")
    return f"{name} answers"


def _accounts(policy: Policy) -> str:
    """Accounts of this machine are changed into by root only; namespaces and associations are the engine's to know. Each must be able
    to run the payloads' interpreter: one that lies in root's home is closed to them, which the agent itself does not notice."""
    if not policy.accounts:
        raise Refused("no-accounts", "no party has an account, so that nothing would be run", "add `accounts` to site.yaml")
    local = [a for a in policy.accounts.values() if user_of(a)]
    for account in local:
        _require_python(policy.python or sys.executable, account)
    if os.geteuid() == 0:
        return f"{len(policy.accounts)}, of which {len(local)} are accounts of this machine"
    return f"{len(policy.accounts)}; the agent is not root, so that folders of all parties are its own"


def _require_python(python: str, account: str) -> None:
    program = [python, "-c", "import touyan.flow.worker"]
    user = user_of(account)
    own: dict[str, Any] = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
    try:
        done = subprocess.run(program, capture_output=True, text=True, timeout=PROBE_S, check=False, cwd="/", **own)
        why = (done.stderr.strip().splitlines() or ["it fails"])[-1] if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    if why:
        hint = "install Touyan where every account can read it, such as /opt/touyan, and name its `python` in site.yaml"
        raise Refused("closed-python", f"{account} cannot run {python}: {why}", hint)


def _roots(policy: Policy) -> str:
    """The key of the template is nobody's: with it every job would be refused."""
    unset = [name for name, key in policy.roots.items() if not key.rpartition(":")[2].strip("0")]
    if unset:
        hint = "ask the hub's operator for the id of the organisation's root key: touyan party list --json"
        raise Refused("no-root", f"the root key of {', '.join(unset)} is the template's", hint)
    return ", ".join(policy.roots)


def _pools(policy: Policy) -> str:
    """An unlisted model is matched by its name alone: told, not refused, because a site may own what nobody has listed."""
    capacity, table = policy.capacity, published()
    unlisted = [m for m in capacity.models if table.find(m) is None]
    words = f"{len(capacity.pools)}; accelerators: {', '.join(capacity.models) or 'none'}"
    return words + (f"; in no rate table, so known by name only: {', '.join(unlisted)}" if unlisted else "")


def _hours(policy: Policy) -> str:
    return "always open" if not policy.openings else f"{len(policy.openings)} openings, {policy.time_zone}"
