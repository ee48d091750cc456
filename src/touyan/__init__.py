"""Touyan 头雁: from raw documents to a permitted, served large model."""

__version__ = "0.1.0"
