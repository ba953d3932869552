"""Mails: how one is written, and who carries it away (an SMTP server, or a folder of files where none is set).

A mail that comes twice has the same Message-ID, by which mail clients fold it into one.
"""

import os
import re
import smtplib
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import parse_qs, unquote, urlsplit

from shop.core.errors import Language
from shop.core.settings import settings

#: Seconds for each step of a talk with the server.
TIMEOUT = 10
MAX_SUBJECT = 150


class Refused(Exception):
    """The server will never take this mail."""


class Postponed(Exception):
    """The server does not take this mail now; others it may."""


class Unreachable(Exception):
    """The server takes no mails from us at the moment."""


class Carrier(Protocol):
    """Takes mails away. Entered and left once for any number of mails."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def carry(self, message: EmailMessage) -> None:
        """Hand one mail over.

        Raises:
            Refused, Postponed, Unreachable: see there.
        """


def carrier() -> Carrier:
    """The carrier that the settings name."""
    url = settings().mail_url
    return Smtp(url) if url else Folder(Path(settings().data_dir) / "mail")


def one_line(words: str) -> str:
    """Text without line breaks and control characters, so that nothing in it starts a header or a line of its own."""
    return " ".join("".join(character if character.isprintable() else " " for character in words).split())


@dataclass(frozen=True)
class Attachment:
    """A file that goes along with a mail."""

    name: str
    content_type: str
    content: bytes


def compose(
    *, to: str, subject: str, body: str, language: Language, message_id: str, at: datetime, attachment: Attachment | None = None
) -> EmailMessage:
    """A plain text mail from the sender of the settings. ``message_id`` (without a domain) is the same whenever the mail is made again."""
    name, sender = parseaddr(settings().mail_from)
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(one_line(name), addr_spec=sender)
    message["To"] = Address(addr_spec=to)
    short = one_line(subject)
    message["Subject"] = short if len(short) <= MAX_SUBJECT else short[: MAX_SUBJECT - 1] + "…"
    message["Date"] = at
    message["Message-ID"] = f"<{message_id}@{_domain()}>"
    message["Auto-Submitted"] = "auto-generated"
    # base64, because mail servers may break long lines and Chinese text has few spaces to break at
    message.set_content(body, charset="utf-8", cte="base64")
    if attachment is not None:
        kind, _, subtype = attachment.content_type.partition(";")[0].partition("/")
        # texts that we make are UTF-8
        charset = {"charset": "utf-8"} if kind == "text" else {}
        message.add_attachment(attachment.content, maintype=kind, subtype=subtype, filename=attachment.name, params=charset)
    # after the content, which sets all Content- headers anew
    message["Content-Language"] = "zh-CN" if language == "zh" else "en"
    return message


def _domain() -> str:
    return parseaddr(settings().mail_from)[1].rpartition("@")[2]


class Folder:
    """Writes each mail into a file named by its Message-ID."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def carry(self, message: EmailMessage) -> None:
        """Write one mail; whoever looks sees all of it or nothing."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9.@\-]", "_", str(message["Message-ID"]).strip("<>"))
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(message.as_bytes())
            os.replace(temporary, self.folder / f"{name}.eml")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


class Smtp:
    """Hands mails to an SMTP server, over one connection that is opened with the first of them."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self._url = urlsplit(url)
        self._timeout = timeout
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._connection is not None:
            with suppress(smtplib.SMTPException, OSError):  # what was handed over is with the server already
                self._connection.quit()
            self._drop()

    def carry(self, message: EmailMessage) -> None:
        """Hand one mail over. Servers end a connection after so many mails: then a new one is tried, once."""
        used_before = self._connection is not None
        try:
            self._carry(message)
        except Unreachable:
            self._drop()
            if not used_before:
                raise
            self._carry(message)

    def _carry(self, message: EmailMessage) -> None:
        sender, recipient = (message[name].addresses[0].addr_spec for name in ("From", "To"))
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.sendmail(sender, [recipient], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as refusal:
            code, words = refusal.recipients[recipient]
            raise _verdict(code, words, recipient) from None
        except smtplib.SMTPDataError as refusal:
            raise _verdict(refusal.smtp_code, refusal.smtp_error, recipient) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(_told(error)) from error

    def _connect(self) -> smtplib.SMTP:
        url, name = self._url, _domain()
        host = url.hostname or ""
        connection: smtplib.SMTP
        if url.scheme == "smtps":
            context = ssl.create_default_context()
            connection = smtplib.SMTP_SSL(host, url.port or 465, name, timeout=self._timeout, context=context)
        else:
            connection = smtplib.SMTP(host, url.port or 25, name, timeout=self._timeout)
        try:
            if url.scheme == "smtp" and parse_qs(url.query).get("starttls", ["0"])[-1] == "1":
                connection.starttls(context=ssl.create_default_context())
            if url.username:
                connection.login(unquote(url.username), unquote(url.password or ""))
        except BaseException:
            connection.close()
            raise
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _verdict(code: int, words: bytes | str, recipient: str) -> Refused | Postponed | Unreachable:
    if code == 421:
        return Unreachable("421")  # the server is about to close the connection
    told = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    # servers repeat the address, which is nobody's business in an error text
    reason = f"{code} {one_line(told.replace(recipient, '…'))}"[:300]
    return Refused(reason) if code >= 500 else Postponed(reason)


def _told(error: Exception) -> str:
    """The kind of a failure and the server's code: its words may repeat a name or an address."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
