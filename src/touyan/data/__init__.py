"""The room `data`: readers, the catalogue of sources and their rights. Its verb is `gather`.

The verb is loaded when it is first used: readers and steps run in processes that have no use for the store, which takes
0.6 s of CPU to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from touyan.data.sources import Gathered, complaint, gather

__all__ = ["Gathered", "complaint", "gather"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("touyan.data.sources"), name)
