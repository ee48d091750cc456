"""Which node of a site a task runs on, where the site has no scheduler of its own.

`Cluster` holds the truth, a `Score` judges nodes, a `NodePlacer` chooses, `why_not` explains. Knows nothing of Jobs, owners and
queues: what comes in is already allowed to run here. It needs numpy, so nothing outside imports it before something is placed.
"""
