"""The composition root of the HTTP server."""

import gc
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import anyio
import swagger_ui_bundle
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

import shop.documents
import shop.health
import shop.tables
from shop.core import edge, logs
from shop.core.db import Database, database
from shop.core.settings import settings
from shop.described import Described
from shop.identity.access import Routes
from shop.identity.routing import operation_id

#: Every domain's routes, in the order in which the docs show them.
DOMAINS = [
    "shop.identity.api",
    "shop.regions.api",
    "shop.programmes.api",
    "shop.notifications.api",
    "shop.webhooks.api",
    "catalog.products.api",
    "catalog.stock.api",
    "catalog.certification.api.drafting",
    "catalog.certification.api.applying",
    "catalog.households.api",
    "catalog.certification.api.reviewing",
    "catalog.certification.api.many",
    "catalog.objections.api",
    "catalog.batches.api",
    "catalog.certificates.api",
    "catalog.supervision.api.checking",
    "catalog.supervision.api.capacity",
    "catalog.supervision.api.complaints",
    "catalog.supervision.api.blacklist",
    "catalog.supervision.api.signals",
    "catalog.monitoring.api",
    "orders.units.api",
    "orders.budgets.api",
    "orders.approvals.api",
    "orders.requests.api",
    "orders.purchasing.api",
    "orders.sourcing.api.requests",
    "orders.sourcing.api.quotations",
    "orders.agreements.api.agreements",
    "orders.agreements.api.call_offs",
    "orders.agreements.api.harvest",
    "orders.importing.api",
    "orders.lists.api",
    "orders.fulfilment.api",
    "orders.reassignments.api",
    "orders.contracts.api",
    "orders.amendments.api",
    "orders.papers.api",
    "orders.money.api",
    "orders.invoices.api",
    "orders.tax_invoices.api",
    "orders.payments.api",
    "orders.refunds.api",
    "orders.settlement.api.settlements",
    "orders.settlement.api.payouts",
    "orders.settlement.api.accounts",
    "orders.settlement.api.commission",
    "orders.terms.api",
    "orders.banking.api.payers",
    "orders.banking.api.statements",
    "orders.banking.api.lines",
    "orders.banking.api.failures",
    "orders.waiting.api",
    "orders.online.api",
    "orders.returns.api",
    "orders.bookings.api",
    "orders.disputes.api",
    "orders.effects.api",
    "orders.evaluations.api",
    "orders.pledges.api.pledges",
    "orders.pledges.api.baskets",
    "orders.pledges.api.proofs",
    "orders.outlets.api",
    "orders.outlet_sales.api",
    "orders.ledger.api",
    "orders.statistics.api",
    "orders.panels.api.panels",
    # before the indicators, whose single ones stand at any other word of the path
    "orders.panels.api.growth",
    "orders.targets.api",
    "orders.indicators.api",
    "orders.coverage.api",
    "orders.promotions.api",
    "orders.ties.api",
    "orders.exporting.api",
    "orders.opendata.api",
    "orders.reserved_share.api",
    "orders.external_sales.api.sales",
    "orders.external_sales.api.holds",
    "orders.counting.api",
    "orders.closing.api",
    "orders.reports.api",
    "orders.bulletins.api.closes",
    "orders.bulletins.api.bulletins",
    "orders.reconcile.api",
    "shop.audit_api",
]


def create_app(bound_to: Database | None = None) -> FastAPI:
    """The application; ``bound_to`` names the database (default: the one of the settings)."""
    logs.configure()
    app = FastAPI(
        title="消费帮扶交易平台 · Consumption assistance marketplace",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # see _serve_docs
        lifespan=_lifespan,
        generate_unique_id_function=operation_id,
        separate_input_output_schemas=False,
    )
    app.state.database = bound_to or database()
    edge.install(app)
    app.add_middleware(edge.Edge, max_body_bytes=settings().max_body_bytes, max_file_bytes=settings().max_file_bytes + 64 * 1024)
    app.include_router(shop.health.router)
    for routes in domain_routes():
        # as they are: a router that is included makes every route a second time, and is asked in vain by every request of others
        app.router.routes.extend(routes.router.routes)
    _serve_docs(app)
    app.openapi = cache(partial(_schema, app))  # type: ignore[method-assign]
    return app


#: What a demo has besides.
DEMO = ["shop.demo.api"]


def domain_routes() -> list[Routes]:
    names = [*DOMAINS, *DEMO] if settings().demo else DOMAINS
    return [importlib.import_module(name).routes for name in names]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # as many worker threads as database connections: more would only wait for one another
    anyio.to_thread.current_default_thread_limiter().total_tokens = settings().threads
    # what was loaded at the start lives as long as the process: no use in searching it for garbage at every collection
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    yield
    app.state.database.dispose()


def _serve_docs(app: FastAPI) -> None:
    """Swagger UI from the installed package: the docs work without the internet."""
    app.mount("/docs/assets", StaticFiles(directory=Path(swagger_ui_bundle.swagger_ui_path)), name="docs_assets")

    described = Described(partial(_schema, app), settings().data_dir / "openapi")

    @app.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> Response:
        return described.answer(request)

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon-32x32.png",
        )


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details; `code` is stable, `title` follows Accept-Language.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
        "data": {"type": "object"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return schema
