"""The checks that come with Touyan; each is registered under `touyan.checks`."""
