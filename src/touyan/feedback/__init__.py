"""feedback: what users say comes back as data, through the same rights gate as everything else."""

from touyan.feedback.collect import Collected, Stated, collect
from touyan.feedback.learn import Change, changes, compare

__all__ = ["Change", "Collected", "Stated", "changes", "collect", "compare"]
