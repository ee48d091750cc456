"""What the hub shows over HTTP to holders of API keys: jobs, why a job is where it is, sites, metrics.

Routes only. Knows nothing of agents. Invariant: whoever reads here holds a key of a Party that may inspect, in the key's project;
sites are shown to all projects, jobs to their own.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from touyan.compute.hub.hub import Hub
from touyan.compute.hub.metrics import exposition
from touyan.compute.hub.reads import alerts, site_views, why
from touyan.core.errors import Missing, error_record
from touyan.core.party import Actor
from touyan.store.api_keys import missing_key
from touyan.store.home import Store
from touyan.store.job_records import Job
from touyan.store.policy import Thing, require

_BEARER = HTTPBearer(auto_error=False, description="An API key: `ty-...`")


def add_views(app: FastAPI, hub: Hub) -> None:
    """Adds the routes."""
    store = hub.store

    def reader(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Actor:
        return _reader(store, credentials.credentials if credentials else "")

    @app.get("/v1/jobs", tags=["see"], summary="The newest jobs of the project")
    def jobs(actor: Actor = Depends(reader), last: Annotated[int, Query(ge=1, le=1000)] = 50) -> dict[str, Any]:
        return {"jobs": [_job(j) for j in store.jobs.list(actor.project, last=last)]}

    @app.get("/v1/jobs/{job}/why", tags=["see"], summary="Why a job is where it is")
    def why_job(job: str, actor: Actor = Depends(reader)) -> dict[str, Any]:
        if store.jobs.get(job).project != actor.project:
            raise Missing("no-job", f"there is no job {job!r}", "see: /v1/jobs")
        return why(store, job)

    @app.get("/v1/sites", tags=["see"], summary="The sites, and what needs attention")
    def sites(actor: Actor = Depends(reader)) -> dict[str, Any]:
        return {"sites": [v.to_json() for v in site_views(store)], "alerts": alerts(store)}

    @app.get("/metrics", tags=["see"], summary="Counts in the Prometheus text format")
    def metrics(actor: Actor = Depends(reader)) -> PlainTextResponse:
        return PlainTextResponse(exposition(store, hub.counts), media_type="text/plain; version=0.0.4")

    @app.get("/healthz", tags=["see"], summary="Whether the hub answers")
    def healthz() -> dict[str, str]:
        return {"status": "up"}


def _reader(store: Store, secret: str) -> Actor:
    """Who holds the key, once it may inspect. Raises Refused."""
    if not secret:
        raise missing_key()
    actor = store.api_keys.actor(store.api_keys.check(secret))
    require(actor, "inspect", Thing("job", "*", actor.project))
    return actor


def _job(job: Job) -> dict[str, Any]:
    fields = ("id", "name", "step", "state", "site", "tries", "created_at", "ended_at", "asset", "submitter")
    return {f: getattr(job, f) for f in fields} | {"error": error_record(job.error) if job.error else None}
