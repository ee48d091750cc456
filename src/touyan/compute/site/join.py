"""Joining a hub: the token once, the secret ever after; and the parts of an agent put together.

Owns how a site comes to be one. Knows nothing of rounds. Invariant: the secret lies in a file of the agent alone before the first
sync, and a token is sent to the address the owner gave and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, cast

from touyan.compute.driver import Driver
from touyan.compute.plugins import entries, load
from touyan.compute.site.home import Membership, SiteHome, keep, read_membership
from touyan.compute.site.hub_http import HubOverHttp, checked_address
from touyan.compute.site.policy import Policy
from touyan.core.errors import Broken, Conflict, Invalid, Missing
from touyan.core.names import nearest

DRIVERS = "touyan.drivers"
LOCAL = "local"
"""Its payloads end with the agent."""


class DriverFactory(Protocol):
    """What the entry points of `touyan.drivers` name."""

    def __call__(self, settings: Mapping[str, object], python: str = "") -> Driver: ...


def open_driver(name: str, policy: Policy) -> Driver:
    """The driver of that name with the owner's settings. Raises Missing with the nearest name, and Invalid."""
    known = entries(DRIVERS)
    if name not in known:
        raise Missing("no-driver", f"there is no driver {name!r}", nearest(name, list(known)))
    return cast(DriverFactory, load(known[name]))(policy.driver, policy.python)


def driver_name(home: SiteHome, asked: str) -> str:
    """The driver that was asked for, else the one the site joined with, else the local one."""
    known = read_membership(home)
    return asked or (known.driver if known else LOCAL)


def membership(home: SiteHome, hub: str, token: str, driver: str, policy: Policy, ca: str = "") -> Membership:
    """Who this site is at the hub: as it joined before, or by the token now. Raises Conflict, Missing, and what the hub says."""
    known = read_membership(home)
    address = known.hub if known and not hub else checked_address(hub)
    if known is not None and not token:
        if known.hub != address:
            hint = f"give that address, or this site a folder of its own: touyan join {address} --home DIR"
            raise Conflict("other-hub", f"this site has joined {known.hub}", hint)
        return known
    if not token:
        raise Missing(
            "no-token", "this site has not joined yet", "ask the hub's operator: touyan sites invite NAME --owner PARTY"
        )
    return _enrolled(home, address, token, driver, policy, str(Path(ca).absolute()) if ca else "")


def _enrolled(home: SiteHome, hub: str, token: str, driver: str, policy: Policy, ca: str) -> Membership:
    try:
        with HubOverHttp(hub, ca=ca) as calls:
            given = calls.enrol(token, driver, policy.capacity.to_json())
    except Broken as error:
        hint = f"see that the hub runs and that {hub} is its address; one with a certificate of its own needs --ca FILE"
        raise Broken(error.code, error.message, hint) from error
    try:
        found = Membership(hub, str(given["site"]), str(given["project"]), str(given["party"]), str(given["secret"]), driver, ca)
    except KeyError as error:
        raise Invalid("bad-answer", f"the hub gave no {error}", "check its address, and its version") from error
    keep(home.secret, asdict(found))
    return found
