"""The office of certification serves here too."""

from tests.catalog.certification.conftest import office

__all__ = ["office"]
