"""A small real SMTP server in a thread, which keeps what it was given and can be told to refuse, hold or hang up."""

import base64
import datetime
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class SmtpServer(socketserver.ThreadingTCPServer):
    """``refusals``: recipient or command -> answer instead of 250. ``hold_at``: a command (or ``END`` of the data) whose answer waits for
    ``go_on``; ``held`` tells that it waits. ``mails_per_connection``: then it hangs up."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.refusals: dict[str, str] = {}
        self.hold_at: str | None = None
        self.held, self.go_on = threading.Event(), threading.Event()
        self.mails_per_connection = 1000
        self.password: str | None = None
        self.certificate: Path | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Talk(socketserver.StreamRequestHandler):
    server: SmtpServer

    def say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

    def handle(self) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            self.talk()

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the one over TLS is ours, not the server's

    def talk(self) -> None:
        server, carried, is_safe, recipient = self.server, 0, False, ""
        server.connections += 1
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == server.hold_at:
                server.held.set()
                server.go_on.wait(30)
            if verb == "EHLO":
                self.say("250-test")
                offers = ["STARTTLS"] if server.certificate and not is_safe else []
                offers += ["AUTH PLAIN"] if server.password else []
                for offer in offers:
                    self.say(f"250-{offer}")
                self.say("250 8BITMIME")
            elif verb == "STARTTLS" and server.certificate:
                self.say("220 go ahead")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(server.certificate)
                self.request = context.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile, is_safe = self.request.makefile("rb"), self.request.makefile("wb", 0), True
            elif verb == "AUTH":
                right = base64.b64decode(line.split()[2]).decode().split("\0")[2] == server.password
                self.say("235 welcome" if right else "535 no")
            elif verb == "RCPT":
                recipient = line[line.index("<") + 1 : line.index(">")]
                self.say(server.refusals.get(recipient) or server.refusals.get(verb) or "250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part.removeprefix(b"."))
                if not part:
                    return
                if "DATA" in server.refusals:
                    self.say(server.refusals["DATA"])
                    continue
                server.recipients.append(recipient)
                server.mails.append(BytesParser(policy=policy.default).parsebytes(b"".join(lines)))
                if server.hold_at == "END":
                    server.held.set()
                    server.go_on.wait(30)
                self.say("250 taken")
                carried += 1
                if carried >= server.mails_per_connection:
                    return
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say(server.refusals.get(verb) or "250 ok")


@contextmanager
def smtp_server() -> Iterator[SmtpServer]:
    """A server on a free port, until the block ends."""
    with SmtpServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join(10)


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
