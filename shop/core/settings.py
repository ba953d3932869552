"""Everything that may differ between two installations, read from the environment (prefix ``SHOP_``)."""

import re
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: How keys of the stand-in of Stripe begin.
STAND_IN_KEY = "sk_test_twin_"


class Settings(BaseSettings):
    """One value object; nothing else in the program reads the environment."""

    model_config = SettingsConfigDict(env_prefix="SHOP_", extra="ignore", hide_input_in_errors=True)

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
    #: A read replica of the database that figures are asked of. Unset: the database itself.
    statistics_database_url: str | None = None
    statement_timeout_ms: int = 30_000

    #: Unset: uploads go to ``data_dir/files``. Else an object store address such as ``s3://bucket/prefix``.
    files_url: str | None = None

    #: Where mails are handed over: ``smtp://user:password@host:587?starttls=1`` or ``smtps://…``. Unset: a file for each mail in
    #: ``data_dir/mail``.
    mail_url: str | None = None
    #: The sender, such as ``消费帮扶交易平台 <no-reply@example.org>``; needed with ``mail_url``.
    mail_from: str = "消费帮扶交易平台 <no-reply@localhost>"

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    #: Addresses of reverse proxies whose X-Forwarded-For is believed.
    trusted_proxies: str = ""
    #: Where the public reaches this server; printed on certificates.
    public_url: str = "http://127.0.0.1:8000"

    #: The account that keeps the money between buyers and suppliers: what transfers go to, and whose statements are imported. ``bank_code`` is
    #: the bank's number in the payment system (联行号). Without an account orders cannot be paid by bank transfer.
    bank_account_name: str = "重庆消费帮扶交易平台代收代付专户"
    bank_account_number: str | None = Field(default=None, pattern=r"^[0-9]{8,34}$")
    bank_name: str | None = None
    bank_code: str | None = Field(default=None, pattern=r"^[0-9]{12}$")

    #: Keys for the personal data of households and of people who object or complain: Fernet keys, the newest first (it encrypts, all of
    #: them decrypt), and the secret of the hash by which one person is told from another, which never changes. Unset: made once and kept in
    #: ``data_dir/keys``; production names its own.
    sealing_keys: str | None = None
    sealing_index_key: str | None = None

    #: Open data: the prefix of contracting processes that the Open Contracting Partnership gives to a publisher, and the fen from which on the
    #: contracts of orders are published.
    ocds_prefix: str = Field(default="ocds-000000", pattern=r"^[A-Za-z0-9]+-[A-Za-z0-9]+$")
    open_contracts_from_fen: int = Field(default=1_000_000, ge=0)
    #: Who publishes open data.
    publisher: str = "重庆市消费帮扶交易平台"

    access_token_minutes: int = 60
    refresh_token_hours: int = 12
    #: Requests a minute from one address to public pages, and sign-in attempts per minute and address.
    public_rate_per_minute: int = 300
    sign_in_rate_per_minute: int = 10
    #: Requests of one device of an outlet.
    device_rate_per_minute: int = 120
    max_body_bytes: int = 4 * 1024 * 1024
    max_file_bytes: int = 20 * 1024 * 1024

    #: Ports that webhooks of customers may name. With ``webhook_allow_private`` they may name any port, plain http and addresses of one's
    #: own network: for development; production refuses to start with it.
    webhook_ports: str = Field(default="443,8443", pattern=r"^[0-9]{1,5}(,[0-9]{1,5})*$")
    webhook_allow_private: bool = False

    #: The secret key of the account at Stripe. Unset: no online payments.
    stripe_key: str | None = Field(default=None, pattern=r"^(sk|rk)_[A-Za-z0-9_]{8,255}$")
    #: The key that payers' browsers enter a card with; it is no secret.
    stripe_publishable_key: str | None = Field(default=None, pattern=r"^pk_[A-Za-z0-9_]{8,255}$")
    #: The secret of the webhook endpoint; two, separated by a comma, while a new one is brought in.
    stripe_webhook_secrets: str = Field(default="", pattern=r"^(whsec_[A-Za-z0-9_]+(,whsec_[A-Za-z0-9_]+)?)?$")
    #: Where a stand-in of Stripe listens on this machine; only with a key that no real account has.
    stripe_base: str | None = None

    #: Lets ``shop demo`` move the clock. Production refuses to start with it.
    demo: bool = False

    @field_validator("mail_url")
    @classmethod
    def _is_mail_server(cls, mail_url: str | None) -> str | None:
        if mail_url:
            parts = urlsplit(mail_url)
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.port == 0:
                raise ValueError("is smtp://host:port or smtps://host:port")
        return mail_url

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, mail_from: str) -> str:
        address = parseaddr(mail_from)[1]
        if not address.isascii() or not all(address.partition("@")) or len(mail_from.splitlines()) != 1:
            raise ValueError("is an address, such as name <address@example.org>")
        return mail_from

    @model_validator(mode="after")
    def _mails_have_a_sender(self) -> Self:
        if self.mail_url and "mail_from" not in self.model_fields_set:
            raise ValueError("mail_url needs mail_from, the sender of the mails")
        return self

    @field_validator("sealing_keys")
    @classmethod
    def _are_keys(cls, sealing_keys: str | None) -> str | None:
        for key in sealing_keys.split(",") if sealing_keys else []:
            if not re.fullmatch(r"[A-Za-z0-9_-]{43}=", key.strip()):
                raise ValueError("holds Fernet keys, separated by commas; `shop new-keys` makes one")
        return sealing_keys

    @model_validator(mode="after")
    def _production_names_its_keys(self) -> Self:
        if self.environment == "production" and not (self.sealing_keys and self.sealing_index_key):
            raise ValueError("production needs SHOP_SEALING_KEYS and SHOP_SEALING_INDEX_KEY; `shop new-keys` makes them")
        return self

    @model_validator(mode="after")
    def _development_has_an_account(self) -> Self:
        if self.environment == "development" and self.bank_account_number is None:
            self.bank_account_number, self.bank_name = "3100021009014400123", "演示银行重庆分行"
        return self

    @property
    def stripe_secrets(self) -> list[str]:
        return self.stripe_webhook_secrets.split(",") if self.stripe_webhook_secrets else []

    @model_validator(mode="after")
    def _money_is_real_or_not(self) -> Self:
        """A key of the stand-in never goes to the real Stripe, and a real one never anywhere else."""
        for_stand_in = (self.stripe_key or "").startswith(STAND_IN_KEY)
        if self.stripe_base:
            parts = urlsplit(self.stripe_base)
            if not for_stand_in:
                raise ValueError(f"stripe_base is for keys that begin with {STAND_IN_KEY}; a real key goes to Stripe alone")
            if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
                raise ValueError("stripe_base is an address of this machine, such as http://127.0.0.1:12111")
        elif for_stand_in:
            raise ValueError("stripe_key is one of the stand-in, which needs stripe_base")
        if for_stand_in and self.environment == "production":
            raise ValueError("stripe_key is one of the stand-in, which moves no money; production does not start with it")
        if self.environment == "production" and self.stripe_key and not self.stripe_secrets:
            raise ValueError("stripe_key needs stripe_webhook_secrets in production")
        return self

    @field_validator("demo")
    @classmethod
    def _not_in_production(cls, demo: bool, info: ValidationInfo) -> bool:
        if demo and info.data.get("environment") == "production":
            raise ValueError("lets the administrator move the clock; production does not start with it")
        return demo

    @field_validator("webhook_allow_private")
    @classmethod
    def _only_public_in_production(cls, allow: bool, info: ValidationInfo) -> bool:
        if allow and info.data.get("environment") == "production":
            raise ValueError("lets webhooks reach one's own network; production does not start with it")
        return allow


@lru_cache
def settings() -> Settings:
    return Settings()
