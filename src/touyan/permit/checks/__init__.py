"""The checks that come with Touyan, each registered under the entry point group `touyan.checks`.

Invariant: a check measures and never judges; one that cannot measure abstains with what is missing.
"""
