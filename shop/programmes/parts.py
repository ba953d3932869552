"""What every piece of a programme's configuration is."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A piece of configuration: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
