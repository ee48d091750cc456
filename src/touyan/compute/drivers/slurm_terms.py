"""How a site's Slurm is to be used: written by its owner, in the `driver` part of `site.yaml`.

Owns the words of that part, and what a local account is in Slurm. Knows nothing of Parties: which of them maps to which account
stands in the owner's policy. Invariant: nobody runs as somebody else. Where accounts are listed, no other is used; and an agent
that is root runs a payload as the account's own user or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from touyan.compute.site.accounts import user_of
from touyan.core.errors import Refused
from touyan.core.names import nearest


@dataclass(frozen=True, slots=True)
class Association:
    """What a local account is in Slurm; what is empty is left to Slurm's default."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}
    account: str = ""
    """Slurm's account, which is charged."""
    qos: str = ""
    partition: str = ""


@dataclass(frozen=True, slots=True)
class SlurmTerms:
    """The owner's terms."""

    accounts: Mapping[str, Association] = field(default_factory=dict[str, Association])
    """By local account; empty: what is charged is the user's default, or, where there is no such user, the account of that name."""
    gres: Mapping[str, str] = field(default_factory=dict[str, str])
    """Slurm's name for an exact model, such as `a800-80g: gpu:a800`; a model that is not listed is not there."""
    partition: str = ""
    constraint: str = ""
    longest_min: int = 0
    """Longest time that the partition grants; 0: it is not known, and a job that asks for more never starts."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What every payload gets besides its Order's environment, such as where the libraries of the accelerator are."""
    conf: str = ""
    """Path of slurm.conf, where it is not the usual one."""
    url: str = ""
    """Of slurmrestd, `http://…` or `unix:/path`; empty: the command line."""
    token_file: str = ""
    """Holds a JSON web token for slurmrestd; empty: `scontrol token` makes one for each user."""
    timeout_s: float = 20.0
    """Longest time that one call to Slurm may take."""

    def association(self, account: str) -> Association:
        """What stands for a local account. Raises Refused for one that the owner did not list."""
        if not self.accounts:
            return Association("" if user_of(account) else account)
        if account not in self.accounts:
            raise Refused(
                "no-association",
                f"the site maps no account {account!r} to Slurm",
                f"{nearest(account, self.accounts)} in site.yaml",
            )
        return self.accounts[account]

    def user(self, account: str) -> str:
        """Whom payloads of an account run as; empty: the agent's own user. Raises Refused where that would be root."""
        if os.geteuid() != 0 or not account:
            return ""
        if user_of(account) is None:
            words = f"there is no user {account!r} here, and the agent is root"
            raise Refused("no-user", words, "create the user, or run the agent as a user of its own")
        return account

    def gres_of(self, model: str, count: int) -> str:
        """The GRES of a node, such as `gpu:a800:4`. Raises Refused for a model the site does not list."""
        if model not in self.gres:
            raise Refused(
                "no-accelerator", f"the site's Slurm has no {model!r}", f"{nearest(model, self.gres)} in site.yaml: gres"
            )
        return f"{self.gres[model]}:{count}"
