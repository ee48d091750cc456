"""The statements that every step of a Job needs, built once.

Putting a statement together takes three times as long as carrying it out. Knows nothing of states. Invariant: a row is moved only
out of the state it was seen in, and an Attempt only under its fencing token.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from touyan.store import tables as t

_J, _A = t.job.c, t.attempt.c

JOB = select(t.job).where(_J.id == bindparam("wanted")).with_for_update()
ATTEMPT = select(t.attempt).where(_A.id == bindparam("wanted"), _A.token == bindparam("shown")).with_for_update()
MOVE_JOB = update(t.job).where(_J.id == bindparam("wanted"), _J.state == bindparam("from_state"))
"""Sets the columns that are named beside `wanted` and `from_state`."""
MOVE_ATTEMPT = update(t.attempt).where(
    _A.id == bindparam("wanted"), _A.token == bindparam("shown"), _A.state == bindparam("from_state")
)
