"""The room `data`: readers, sources and their rights. Its verb is `gather` (touyan.data.sources)."""
