"""Imports every table, for Alembic and for processes that need the whole schema."""

from sqlmodel import SQLModel

import shop.core.models
import shop.identity.models
import shop.notifications.models
import shop.programmes.models
import shop.regions.models  # noqa: F401

metadata = SQLModel.metadata
