"""No address of a customer leads anywhere but to the public internet."""

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from shop.core import outward
from shop.core.settings import Settings, settings
from tests.factories.receiver import canary

PUBLIC = "93.184.215.14"

#: What the name server of an attacker says of a name.
NAMES = {
    "loopback.evil.example.com": ["127.0.0.1"],
    "loopback6.evil.example.com": ["::1"],
    "private10.evil.example.com": ["10.0.0.5"],
    "private172.evil.example.com": ["172.16.3.4"],
    "private192.evil.example.com": ["192.168.1.1"],
    "cgnat.evil.example.com": ["100.64.0.1"],
    "aliyun.evil.example.com": ["100.100.100.200"],
    "metadata.evil.example.com": ["169.254.169.254"],
    "tencent.evil.example.com": ["169.254.0.23"],
    "azure.evil.example.com": ["168.63.129.16"],
    "oracle.evil.example.com": ["192.0.0.192"],
    "zero.evil.example.com": ["0.0.0.0"],
    "broadcast.evil.example.com": ["255.255.255.255"],
    "multicast.evil.example.com": ["224.0.0.1"],
    "reserved.evil.example.com": ["240.0.0.1"],
    "benchmark.evil.example.com": ["198.18.0.1"],
    "documentation.evil.example.com": ["192.0.2.1"],
    "sixtofour-relay.evil.example.com": ["192.88.99.1"],
    "mapped.evil.example.com": ["::ffff:127.0.0.1"],
    "mapped-private.evil.example.com": ["::ffff:10.0.0.1"],
    "compatible.evil.example.com": ["::127.0.0.1"],
    "nat64.evil.example.com": ["64:ff9b::7f00:1"],
    "nat64-local.evil.example.com": ["64:ff9b:1::7f00:1"],
    "sixtofour.evil.example.com": ["2002:7f00:1::1"],
    "teredo.evil.example.com": ["2001:0:7f00:1::1"],
    "linklocal6.evil.example.com": ["fe80::1"],
    "unique-local.evil.example.com": ["fd00::1"],
    "metadata6.evil.example.com": ["fd00:ec2::254"],
    "site-local.evil.example.com": ["fec0::1"],
    "multicast6.evil.example.com": ["ff02::1"],
    "unspecified6.evil.example.com": ["::"],
    "documentation6.evil.example.com": ["2001:db8::1"],
    "one-of-two.evil.example.com": [PUBLIC, "127.0.0.1"],
    "last-of-many.evil.example.com": [PUBLIC, "8.8.8.8", "2606:4700::1111", "::1"],
}

#: Written so that something takes them for something else. ``{port}`` is where the canary listens.
WRITTEN = [
    "https://127.0.0.1:{port}/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://2130706433:{port}/",
    "https://017700000001:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://0x7f.0.0.1:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.1:{port}/",
    "https://127.0.0.0x1:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://0:{port}/",
    "https://0.0.0.0:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[::1%25lo]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/latest/meta-data/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://any.localhost:{port}/",
    "https://printer.local/",
    "https://db.internal/",
    "https://router.home.arpa/",
    "https://nas.lan/",
    "https://intranet/",
    "https://１２７.０.０.１:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "https://127。0。0。1:{port}/",
    "https://127%2e0%2e0%2e1:{port}/",
    "https://127.0.0.1%23.example.com:{port}/",
    "https://example.com@127.0.0.1:{port}/",
    "https://example.com:pass@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}@loopback.evil.example.com/",
    "https://example.com#@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#.example.com/",
    "https://127.0.0.1:{port}\\@example.com/",
    "https:\\\\127.0.0.1:{port}\\",
    "https://127.0.0.1\t:{port}/",
    "https://127.0.0.1\n:{port}/",
    "https:// 127.0.0.1:{port}/",
    "https:///127.0.0.1:{port}/",
    "https:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "http://loopback.evil.example.com:{port}/",
    "http://public.example.com/",
    "HTTP://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_POST",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "unix:///var/run/docker.sock",
    "javascript:alert(1)",
    "data:text/plain,x",
    "https://public.example.com:22/",
    "https://public.example.com:6379/",
    "https://public.example.com:{port}/",
    "https://public.example.com:0/",
    "https://public.example.com:99999/",
    "https://public.example.com:-1/",
    "https://public.example.com:٤٤٣/",
    "https://-bad.example.com/",
    "https://a..example.com/",
    "https://" + "a" * 64 + ".example.com/",
    "https://" + "a." * 130 + "com/",
    "https://public.example.com/" + "a" * 2000,
    "https://public.example.com/a b",
    "https://public.example.com/\r\nX-Injected: 1",
    "https://",
    "",
]
ATTACKS = [*WRITTEN, *(f"https://{name}/" for name in NAMES), *(f"https://{name}:8443/" for name in list(NAMES)[:2])]


@pytest.fixture
def names(monkeypatch):
    """Our own name server at the level of the socket; what connects is counted, and leaves this machine never."""
    answers = {**NAMES, "public.example.com": [PUBLIC], "localhost": ["127.0.0.1"]}
    real = socket.getaddrinfo
    asked, dialled = [], []

    def getaddrinfo(host, port, *args, **options):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            asked.append(host)
            given = answers.get(host)
            found = given() if callable(given) else given
            if not found:
                raise socket.gaierror(socket.EAI_NONAME, "unknown") from None
            return [(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in found]
        return real(host, port, *args, **options)

    connect = socket.socket.connect

    def counted(self, address):
        dialled.append(address[0])
        if not address[0].startswith("127."):
            raise OSError("no way out of this test")
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", counted)
    return type("Names", (), {"answers": answers, "asked": asked, "dialled": dialled})


def test_there_are_enough_attacks():
    assert len(set(ATTACKS)) >= 60


def test_no_attack_gets_a_connection_when_set_up_or_when_sent(names):
    with canary() as (port, came):
        for attack in ATTACKS:
            url = attack.replace("{port}", str(port))
            with pytest.raises(outward.Refused):
                outward.check(url)
            with pytest.raises(outward.Refused):
                outward.post(url, {}, b"{}")
    assert came == []
    assert names.dialled == []


def test_the_canary_sings(names, monkeypatch):
    """Control: without the guard the same name reaches the canary."""
    monkeypatch.setattr(settings(), "webhook_allow_private", True)
    with canary() as (port, came):
        with pytest.raises(outward.Unreachable):
            outward.post(f"http://loopback.evil.example.com:{port}/", {}, b"{}")
        assert len(came) == 1


def test_a_name_that_turns_after_it_was_checked_leads_nowhere(names):
    turns = iter([[PUBLIC], ["127.0.0.1"], [PUBLIC, "127.0.0.1"]])
    names.answers["rebinding.example.com"] = lambda: next(turns)
    with canary() as (_, came):
        assert outward.check("https://rebinding.example.com/hook") == "https://rebinding.example.com/hook"
        for _ in range(2):
            with pytest.raises(outward.Refused) as refused:
                outward.post("https://rebinding.example.com/hook", {}, b"{}")
            assert refused.value.code == "address_not_public"
    assert came == []
    assert names.dialled == []


def test_what_was_judged_is_what_is_dialled(names):
    """The name server answers once for each request; a second answer is never asked for."""
    turns = iter([[PUBLIC], ["127.0.0.1"]])
    names.answers["rebinding.example.com"] = lambda: next(turns)
    with canary() as (_, came), pytest.raises(outward.Unreachable):
        outward.post("https://rebinding.example.com:8443/hook", {}, b"{}")
    assert names.asked == ["rebinding.example.com"]
    assert names.dialled == [PUBLIC]
    assert came == []


def test_every_address_of_a_name_is_tried(names):
    names.answers["two.example.com"] = ["93.184.215.14", "93.184.215.15"]
    with pytest.raises(outward.Unreachable):
        outward.post("https://two.example.com/", {}, b"")
    assert names.dialled == ["93.184.215.14", "93.184.215.15"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://public.example.com", "https://public.example.com/"),
        ("https://Public.Example.COM:443/Hooks?a=1&b=%E4%B8%AD", "https://public.example.com/Hooks?a=1&b=%E4%B8%AD"),
        ("https://public.example.com:8443/x", "https://public.example.com:8443/x"),
        ("https://扶贫.公司/h", "https://xn--squq46g.xn--55qx5d/h"),
    ],
)
def test_a_good_address_has_one_form(given, kept):
    target = outward.target(given)
    assert target.url == kept
    assert outward.target(kept) == target


def test_an_unknown_name_is_told_as_such(names):
    with pytest.raises(outward.Refused) as refused:
        outward.check("https://nowhere.example.com/")
    assert refused.value.code == "unknown_host"


def test_a_name_server_that_never_answers_is_not_waited_for(names, monkeypatch):
    monkeypatch.setattr(outward, "RESOLVE_SECONDS", 0.1)
    free = threading.Event()
    names.answers["slow.example.com"] = lambda: free.wait(5) and None
    with pytest.raises(outward.Unreachable):
        outward.addresses_of("slow.example.com", 443)
    free.set()


@given(st.ip_addresses(v=4))
def test_what_python_knows_as_not_global_is_never_public(address):
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not outward.is_public(address)


@given(st.ip_addresses(v=6))
def test_only_global_unicast_is_public_in_ipv6(address):
    if outward.is_public(address):
        assert address in ipaddress.ip_network("2000::/3")
        assert address.sixtofour is None
        assert address.teredo is None
        assert address.ipv4_mapped is None


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text):
    for url in (text, f"https://{text}", f"https://{text}/", f"https://{text}.example.com/"):
        try:
            target = outward.target(url)
        except outward.Refused:
            continue
        assert target.url.startswith("https://")
        assert target.url.isascii()
        assert target.port in (443, 8443)


def test_production_does_not_start_with_an_open_network():
    with pytest.raises(ValueError, match="one's own network"):
        Settings(environment="production", sealing_keys="A" * 43 + "=", sealing_index_key="x", webhook_allow_private=True)


# --- TLS ------------------------------------------------------------------------------------------------------------


def certificate(folder, name):
    """A certificate for a name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(tmp_path):
    """A TLS server for one name that tells which name and host it was called by."""
    path = certificate(tmp_path, "hooks.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    asked = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    heard = b""
                    while not heard.endswith(b"\r\n\r\n{}"):
                        heard += connection.recv(65536)
                    asked.append(heard.decode())
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            except OSError:
                plain.close()

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1], path, asked
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def test_the_certificate_must_be_trusted_and_of_that_name(names, monkeypatch, secure):
    port, path, asked = secure
    monkeypatch.setattr(settings(), "webhook_allow_private", True)
    names.answers |= {"hooks.example.org": ["127.0.0.1"], "other.example.org": ["127.0.0.1"]}
    trusting = ssl.create_default_context(cafile=path)

    with pytest.raises(outward.Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        outward.post(f"https://hooks.example.org:{port}/", {}, b"{}")
    with pytest.raises(outward.Unreachable, match="not valid for 'other"):
        outward.post(f"https://other.example.org:{port}/", {}, b"{}", tls=trusting)
    assert not any("POST" in each for each in asked)

    answer = outward.post(f"https://hooks.example.org:{port}/in", {"webhook-id": "evt_1"}, b"{}", tls=trusting)
    assert (answer.status, answer.body) == (200, b"ok")
    assert "hooks.example.org" in asked
    assert f"Host: hooks.example.org:{port}" in asked[-1]
    assert asked[-1].startswith("POST /in HTTP/1.1")


def test_proxies_of_the_environment_are_not_used(names, monkeypatch):
    with canary() as (port, came):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        with pytest.raises(outward.Unreachable):
            outward.post("https://public.example.com/", {}, b"{}")
    assert came == []
    assert names.dialled == [PUBLIC]
