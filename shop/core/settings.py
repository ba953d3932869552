"""Everything that may differ between two installations, read from the environment (prefix ``SHOP_``)."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One value object; nothing else in the program reads the environment."""

    model_config = SettingsConfigDict(env_prefix="SHOP_", extra="ignore")

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    #: API server processes.
    processes: int = Field(default=2, ge=1, le=64)
    #: Threads, and so database connections, of one API process.
    threads: int = Field(default=8, ge=1, le=64)

    data_dir: Path = Path(".data")
    #: Unset: the embedded PostgreSQL and the embedded Valkey under ``data_dir`` are started and used.
    database_url: str | None = None
    redis_url: str | None = None
    statement_timeout_ms: int = 30_000

    #: Unset: uploads go to ``data_dir/files``. Else an object store address such as ``s3://bucket/prefix``.
    files_url: str | None = None

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    #: Addresses of reverse proxies whose X-Forwarded-For is believed.
    trusted_proxies: str = ""
    #: Where the public reaches this server; printed on certificates.
    public_url: str = "http://127.0.0.1:8000"

    #: Keys for the personal data of households and of people who object or complain: Fernet keys, the newest first (it encrypts, all of
    #: them decrypt), and the secret of the hash by which one person is told from another, which never changes. Unset: made once and kept in
    #: ``data_dir/keys``; production names its own.
    sealing_keys: str | None = None
    sealing_index_key: str | None = None

    access_token_minutes: int = 60
    refresh_token_hours: int = 12
    #: Requests a minute from one address to public pages, and sign-in attempts per minute and address.
    public_rate_per_minute: int = 300
    sign_in_rate_per_minute: int = 10
    max_body_bytes: int = 4 * 1024 * 1024
    max_file_bytes: int = 20 * 1024 * 1024

    #: Lets ``shop demo`` move the clock. Production refuses to start with it.
    demo: bool = False

    @field_validator("demo")
    @classmethod
    def _not_in_production(cls, demo: bool, info: ValidationInfo) -> bool:
        if demo and info.data.get("environment") == "production":
            raise ValueError("lets the administrator move the clock; production does not start with it")
        return demo


@lru_cache
def settings() -> Settings:
    return Settings()
