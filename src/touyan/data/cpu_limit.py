"""CPU seconds of a parser process: so many for each document, or for each page where a page is much work.

Owns the limit of this process. Knows nothing of sockets or formats. Invariant: without `limit_cpu` nothing is ever limited, and
the hard limit of the Job is never exceeded.
"""

from __future__ import annotations

import resource

_limit_s: list[int] = []


def limit_cpu(limit_s: int) -> None:
    """From now on each call of `renew` gives `limit_s` more CPU seconds."""
    _limit_s[:] = [limit_s]


def renew() -> None:
    """Gives the next document or page its own CPU seconds."""
    if _limit_s:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        spent_s = int(usage.ru_utime + usage.ru_stime) + 1
        soft_s = at_most_hard(resource.RLIMIT_CPU, spent_s + _limit_s[0])
        resource.setrlimit(resource.RLIMIT_CPU, (soft_s, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def at_most_hard(limit: int, value: int) -> int:
    """`value`, or the hard limit that the Job already has where that is lower."""
    hard = resource.getrlimit(limit)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)
