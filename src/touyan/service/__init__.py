"""service: answers with a permitted model, labels what it generates, meters its use, and stops when the permit does."""

from touyan.service.bind import bind

__all__ = ["bind"]
