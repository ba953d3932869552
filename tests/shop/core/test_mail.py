"""Mails over a real SMTP server, and into files."""

import socket
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shop.core import mail
from shop.core.settings import Settings
from tests.factories.mail import certificate, smtp_server

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
LONG = "产品“奉节脐橙（特级，礼盒装）”的认定申请已退回：检测报告已过有效期，请补充农残检测报告与产地证明后重新提交，材料须加盖公章"


def letter(**changes):
    words = {
        "to": "wang@example.org",
        "subject": LONG,
        "body": f"{LONG}\n\n.\n..点\n",
        "language": "zh",
        "message_id": "1.2.3",
        "at": AT,
    }
    return mail.compose(**(words | changes))


@pytest.fixture
def smtp():
    with smtp_server() as server:
        yield server


def carry(server, *letters, url=None):
    with mail.Smtp(url or server.url, timeout=5) as carrier:
        for each in letters:
            carrier.carry(each)


def test_chinese_arrives_as_it_was_written(smtp):
    carry(smtp, letter())
    (got,) = smtp.mails
    assert got["Subject"] == LONG
    assert got.get_content().replace("\r\n", "\n") == f"{LONG}\n\n.\n..点\n"
    assert got["From"].addresses[0].display_name == "消费帮扶交易平台"
    assert smtp.recipients == ["wang@example.org"]
    assert got["Message-ID"] == "<1.2.3@localhost>"
    assert got["Content-Language"] == "zh-CN"
    assert got["Date"].datetime == AT


def test_every_line_on_the_wire_is_short_ascii():
    for line in letter(body="长" * 5000).as_bytes().split(b"\r\n"):
        assert line.isascii()
        assert len(line) <= 998


@pytest.mark.slow
@given(st.text(st.characters(exclude_categories=[]), max_size=300), st.text(max_size=50))
def test_nothing_in_a_subject_starts_a_header(subject, body):
    made = letter(subject=f"{subject}\r\nBcc: all@example.org\u2028X: y\x85Z: z\n\nbody", body=body)
    got = BytesParser(policy=policy.default).parsebytes(made.as_bytes())
    assert sorted(got.keys()) == sorted(letter().keys())
    assert got["To"] == "wang@example.org"


def test_a_long_subject_is_cut():
    assert len(letter(subject="很" * 1000)["Subject"]) == mail.MAX_SUBJECT
    assert letter(subject="很" * mail.MAX_SUBJECT)["Subject"] == "很" * mail.MAX_SUBJECT


def test_a_server_that_ends_connections_is_called_again(smtp):
    smtp.mails_per_connection = 2
    carry(smtp, *(letter(message_id=str(n)) for n in range(5)))
    assert [got["Message-ID"] for got in smtp.mails] == [f"<{n}@localhost>" for n in range(5)]
    assert smtp.connections == 3


@pytest.mark.parametrize(
    ("refusals", "error"),
    [
        ({"wang@example.org": "550 5.1.1 <wang@example.org> unknown"}, mail.Refused),
        ({"DATA": "554 spam"}, mail.Refused),
        ({"wang@example.org": "450 greylisted"}, mail.Postponed),
        ({"DATA": "452 disk full"}, mail.Postponed),
        ({"wang@example.org": "421 closing"}, mail.Unreachable),
        ({"MAIL": "530 sign in first"}, mail.Unreachable),
        ({"MAIL": "451 later"}, mail.Unreachable),
    ],
)
def test_refusals_are_told_apart(smtp, refusals, error):
    smtp.refusals = refusals
    with pytest.raises(error) as caught:
        carry(smtp, letter())
    assert type(caught.value) is error
    assert "wang" not in str(caught.value)
    assert smtp.mails == []


def test_after_a_refusal_the_next_mail_goes(smtp):
    smtp.refusals = {"wang@example.org": "550 unknown"}
    with mail.Smtp(smtp.url) as carrier:
        with pytest.raises(mail.Refused):
            carrier.carry(letter())
        carrier.carry(letter(to="li@example.org"))
    assert smtp.recipients == ["li@example.org"]
    assert smtp.connections == 1


def test_no_server_and_a_mute_server_are_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with (
            mail.Smtp(f"smtp://127.0.0.1:{port}", timeout=0.2) as carrier,
            pytest.raises(mail.Unreachable, match="SMTPServerDisconnected"),
        ):
            carrier.carry(letter())
    with mail.Smtp(f"smtp://127.0.0.1:{port}") as carrier, pytest.raises(mail.Unreachable, match="ConnectionRefused"):
        carrier.carry(letter())


def test_signing_in_over_tls(smtp, tmp_path, monkeypatch):
    smtp.password, smtp.certificate = "p@ss:w/rd", certificate(tmp_path)
    host = smtp.url.removeprefix("smtp://")
    url = f"smtp://user:p%40ss%3Aw%2Frd@{host}?starttls=1"
    with pytest.raises(mail.Unreachable, match="SSLCertVerificationError"):
        carry(smtp, letter(), url=url)
    monkeypatch.setenv("SSL_CERT_FILE", str(smtp.certificate))
    with pytest.raises(mail.Unreachable, match="SMTPAuthenticationError 535"):
        carry(smtp, letter(), url=f"smtp://user:wrong@{host}?starttls=1")
    assert smtp.mails == []
    carry(smtp, letter(), url=url)
    assert len(smtp.mails) == 1


def test_without_tls_a_server_that_should_have_it_gets_nothing(smtp):
    with pytest.raises(mail.Unreachable, match="SMTPNotSupportedError"):
        carry(smtp, letter(), url=f"{smtp.url}?starttls=1")
    assert smtp.mails == []


def test_a_folder_holds_whole_mails_each_once(tmp_path):
    with mail.Folder(tmp_path / "mail") as carrier:
        carrier.carry(letter())
        carrier.carry(letter())
        carrier.carry(letter(message_id="../../evil/4"))
    files = sorted((tmp_path / "mail").iterdir())
    assert [file.name for file in files] == [".._.._evil_4@localhost.eml", "1.2.3@localhost.eml"]
    got = BytesParser(policy=policy.default).parsebytes(files[1].read_bytes())
    assert got["Subject"] == LONG
    assert files[1].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "faulty",
    [
        {"mail_url": "http://mail.example.org", "mail_from": "a@example.org"},
        {"mail_url": "smtp://", "mail_from": "a@example.org"},
        {"mail_url": "smtp://user:secret@host:port", "mail_from": "a@example.org"},
        {"mail_url": "smtp://user:secret@host"},
        {"mail_from": "nobody"},
        {"mail_from": "甲@例子.中国"},
        {"mail_from": "A <a@example.org>\nBcc: b@example.org"},
    ],
)
def test_faulty_settings_are_refused_without_telling_the_password(faulty):
    with pytest.raises(ValidationError) as caught:
        Settings(**faulty)
    assert "secret" not in str(caught.value)


def test_the_settings_choose_the_carrier(monkeypatch, tmp_path):
    for given_settings, kind in [
        (Settings(data_dir=tmp_path), mail.Folder),
        (Settings(mail_url="smtps://u:p@mail.example.org", mail_from="平台 <a@example.org>"), mail.Smtp),
    ]:
        monkeypatch.setattr(mail, "settings", lambda chosen=given_settings: chosen)
        assert isinstance(mail.carrier(), kind)
