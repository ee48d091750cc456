"""The `site.yaml` that an owner begins from: every field with what it means. A test reads it."""

from __future__ import annotations

TEMPLATE = """\
# The policy of this site. You, the owner, write it; no hub can change it. Unknown fields are refused.
site: 1

# Whose signatures count: organisation, and the id of its root key (the hub's operator: touyan party list --json).
roots:
  example-0a1b2c3d: ed25519-sha256:0000000000000000000000000000000000000000000000000000000000000000

# Whom payloads run as: a local account, Slurm association or namespace for each party; never one for two.
accounts:
  example-0a1b2c3d/ann: ann

# denied: [example-0a1b2c3d/bob]          parties, organisations, ids of keys that were stolen
# purposes: [refine, train, evaluate]     default: all
# kinds: [general, ai, hpc]               default: all
largest: {cpus: 64, memory_gib: 256, limit_h: 48, gang: 4, devices: 8}   # of one job; left out: no bound

# open: [{days: [mon, tue, wed, thu, fri], from: "19:00", to: "07:00"}, {days: [sat, sun]}]
# time_zone: Asia/Shanghai
# when_closed: finish                     or stop: what runs is stopped and given back, with its checkpoint

slots: 1          # jobs at once
threads: 4        # CPUs of a job that names none
pace_s: 5         # between two rounds; a cron line every minute: 60
cache_gib: 50     # inputs kept between jobs
keep_h: 24        # shards and checkpoints of an interrupted job
# python: /opt/touyan/bin/python          interpreter of payloads; default: this one
# driver: {}                              settings of the driver: docs/design/slurm.md, docs/design/engines.md

# What there is, so that the hub can place what fits. Exact models: touyan simulate and the ledger price them.
pools:
  - name: main
    classes:
      - {name: node, nodes: 1, cpus: 8, memory_bytes: 34359738368}
      # - {name: a800, nodes: 2, cpus: 64, memory_bytes: 549755813888, model: a800-80g, devices: 8}
# link_bytes_s: 12500000
# offer: {yuan_per_device_hour: {a800-80g: 8.0}, yuan_per_cpu_hour: 0.1}
"""
