"""The room `data`: readers, the catalogue of sources and their rights. Its verb is `gather`."""

from touyan.data.gather import Gathered, complaint, gather

__all__ = ["Gathered", "complaint", "gather"]
