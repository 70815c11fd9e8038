"""Is it up, can it work, what did it do: /healthz, /readyz, /metrics."""

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from web import Services


def router(engine: sa.Engine, services: Services, registry: CollectorRegistry) -> APIRouter:
    """The three paths; none asks for a credential and none says more than names and counts."""
    routes = APIRouter()

    @routes.api_route("/healthz", methods=["GET", "HEAD"])
    def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @routes.api_route("/readyz", methods=["GET", "HEAD"])
    def readyz() -> JSONResponse:
        checks = _checks(engine, services)
        ready = all(state == "ok" for state in checks.values())
        status = {"status": "ok" if ready else "unavailable", "checks": checks}
        return JSONResponse(status, 200 if ready else 503)

    @routes.api_route("/metrics", methods=["GET", "HEAD"])
    def metrics() -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes


def _checks(engine: sa.Engine, services: Services) -> dict[str, str]:
    try:
        with engine.execution_options(readonly=True).connect() as conn:
            conn.execute(sa.select(1))
    except sa.exc.SQLAlchemyError as error:
        structlog.get_logger("web").error("not-ready", check="database", error=type(error).__name__)
        return {"database": "unreachable", "migrations": "unknown"}
    try:
        services.current()
    except Exception as error:  # whatever it is, the answer is the same, and its text stays in here
        structlog.get_logger("web").error("not-ready", check="migrations", error=type(error).__name__)
        return {"database": "ok", "migrations": "not current"}
    return {"database": "ok", "migrations": "ok"}
