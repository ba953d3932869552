"""What the public sees of the tables that there are."""

from pydantic import BaseModel


class TableOut(BaseModel):
    """A table; each of its years is at ``/v1/public/tables/{name}/{year}.csv``, with ``.csv-metadata.json`` and ``.sdmx.csv`` beside it."""

    name: str
    title: str
    #: Those of which months are published.
    years: list[int]
    dataflow: str


class TablesOut(BaseModel):
    licence: str
    publisher: str
    tables: list[TableOut]
