"""How a site's Slurm is to be used: written by its owner, in the `driver` part of `site.yaml`.

Owns the words of that part, and which local account stands for which Slurm association. Knows nothing of Parties: which of them
maps to which account stands in the owner's policy. Invariant: where accounts are listed, no other is used; nobody runs as
somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from touyan.core.errors import Refused
from touyan.core.names import nearest


@dataclass(frozen=True, slots=True)
class Association:
    """What a local account is in Slurm; what is empty is left to Slurm's default."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}
    account: str = ""
    """Slurm's account, which is charged."""
    user: str = ""
    """Whom its jobs run as; only an agent that is root, or slurmrestd, can change users. Empty: whoever the agent is."""
    qos: str = ""
    partition: str = ""


@dataclass(frozen=True, slots=True)
class SlurmTerms:
    """The owner's terms."""

    accounts: Mapping[str, Association] = field(default_factory=dict[str, Association])
    """By local account; empty: an account is charged under its own name, and jobs run as the agent's user."""
    gres: Mapping[str, str] = field(default_factory=dict[str, str])
    """Slurm's name for an exact model, such as `a800-80g: gpu:a800`; a model that is not listed is not there."""
    partition: str = ""
    constraint: str = ""
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
            return Association(account)
        if account not in self.accounts:
            raise Refused(
                "no-association",
                f"the site maps no account {account!r} to Slurm",
                f"{nearest(account, self.accounts)} in site.yaml",
            )
        return self.accounts[account]

    def gres_of(self, model: str, count: int) -> str:
        """The GRES of a node, such as `gpu:a800:4`. Raises Refused for a model the site does not list."""
        if model not in self.gres:
            raise Refused(
                "no-accelerator", f"the site's Slurm has no {model!r}", f"{nearest(model, self.gres)} in site.yaml: gres"
            )
        return f"{self.gres[model]}:{count}"
