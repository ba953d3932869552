"""Imports every table, for Alembic and for processes that need the whole schema."""

from sqlmodel import SQLModel

import catalog.batches.models
import catalog.certificates.models
import catalog.certification.models
import catalog.households.models
import catalog.monitoring.models
import catalog.objections.models
import catalog.products.models
import catalog.stock.models
import catalog.supervision.models
import orders.agreements.models
import orders.amendments.models
import orders.approvals.models
import orders.banking.models
import orders.bookings.models
import orders.budgets.models
import orders.bulletins.models
import orders.contracts.models
import orders.counting.models
import orders.coverage.models
import orders.disputes.models
import orders.effects.models
import orders.evaluations.models
import orders.exporting.models
import orders.external_sales.models
import orders.fulfilment.models
import orders.importing.models
import orders.indicators.models
import orders.invoices.models
import orders.ledger.models
import orders.lists.models
import orders.money.models
import orders.online.models
import orders.outlet_sales.models
import orders.outlets.models
import orders.papers.models
import orders.payments.models
import orders.pledges.models
import orders.promotions.models
import orders.purchasing.models
import orders.reassignments.models
import orders.reconcile.models
import orders.refunds.models
import orders.reports.models
import orders.requests.models
import orders.reserved_share.models
import orders.returns.models
import orders.settlement.models
import orders.sourcing.models
import orders.statistics.models
import orders.targets.models
import orders.tax_invoices.models
import orders.terms.models
import orders.ties.models
import orders.units.models
import shop.core.models
import shop.identity.models
import shop.notifications.models
import shop.programmes.models
import shop.regions.models
import shop.webhooks.models

metadata = SQLModel.metadata
