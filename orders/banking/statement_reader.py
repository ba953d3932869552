"""Reads a bank statement in CAMT.053 or SWIFT MT940 in a process of its own, with little memory and time; ``shop.core.sheets`` starts it.

MT940 is read by mt-940. CAMT.053 (ISO 20022) is read from the paths of its schema, of any version, by defusedxml, which refuses document
types and entities; the libraries for it that there are pull in pandas, or a parser that resolves more than it should.
This file runs alone: nothing of the program may be imported here.
"""

import json
import re
import resource
import sys
from typing import Any

MEMORY = 384 * 2**20
SECONDS = 8
#: More lines than these are not read.
MAX_LINES = 20_000
_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d{2}\}Document")


def main() -> None:
    """Content comes by standard input; statements leave as JSON by standard output, with amounts as decimal texts."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = sys.stdin.buffer.read()
    sys.stdout.write(json.dumps(_camt(content) if sys.argv[1] == "camt053" else _mt940(content)))


def _camt(content: bytes) -> list[dict[str, Any]]:
    from defusedxml.ElementTree import fromstring

    root = fromstring(content, forbid_dtd=True)
    if not _NAMESPACE.fullmatch(root.tag):
        raise ValueError("no statement")
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    found = root.findall("BkToCstmrStmt/Stmt")
    if not found:
        raise ValueError("no statement")
    return [_camt_statement(each) for each in found]


def _camt_statement(statement: Any) -> dict[str, Any]:
    balances = {}
    for balance in statement.findall("Bal"):
        # OPBD, or PRCD (the closing balance of the statement before), opens; CLBD closes
        kind = balance.findtext("Tp/CdOrPrtry/Cd", "")
        balances[kind] = _signed(balance.findtext("Amt", ""), balance.findtext("CdtDbtInd", ""))
    account = statement.find("Acct/Id")
    return {
        "account": "" if account is None else account.findtext("IBAN", "") or account.findtext("Othr/Id", ""),
        "currencies": sorted({amount.get("Ccy", "") for amount in [*statement.findall("Bal/Amt"), *statement.findall("Ntry/Amt")]}),
        "opening": balances.get("OPBD", balances.get("PRCD")),
        "closing": balances.get("CLBD"),
        # what is only expected or pending is no line yet
        "entries": [_camt_entry(entry) for entry in statement.findall("Ntry") if _status(entry) == "BOOK"][:MAX_LINES],
    }


def _status(entry: Any) -> str:
    # up to version 4 a code of its own, later a choice
    return str(entry.findtext("Sts/Cd") or entry.findtext("Sts", "")).strip()


def _camt_entry(entry: Any) -> dict[str, Any]:
    direction = entry.findtext("CdtDbtInd", "")
    details = entry.findall("NtryDtls/TxDtls")
    texts = [entry.findtext("AddtlNtryInf", "")]
    # several payments in one sum: whoever is not the other side of all of them is of none
    sides = {_other_side(each, "Dbtr" if direction == "CRDT" else "Cdtr") for each in details}
    name, account, bank = sides.pop() if len(sides) == 1 else ("", "", "")
    for each in details:
        texts += [line.text or "" for line in each.findall("RmtInf/Ustrd")]
        texts += [line.text or "" for line in each.findall("RmtInf/Strd/CdtrRefInf/Ref")]
        texts += [each.findtext("Refs/EndToEndId", ""), each.findtext("AddtlTxInf", "")]
    booked = entry.findtext("BookgDt/Dt", "") or entry.findtext("BookgDt/DtTm", "") or entry.findtext("ValDt/Dt", "")
    return {
        "date": booked[:10],
        "amount": _signed(entry.findtext("Amt", ""), direction),
        "reversal": entry.findtext("RvslInd", "").strip() in ("true", "1"),
        "serial": entry.findtext("AcctSvcrRef", "") or entry.findtext("NtryDtls/TxDtls/Refs/AcctSvcrRef", ""),
        "name": name,
        "account": account,
        "bank": bank,
        "text": " ".join(text.strip() for text in texts if text.strip() not in ("", "NOTPROVIDED")),
    }


def _other_side(detail: Any, other: str) -> tuple[str, str, str]:
    name = detail.findtext(f"RltdPties/{other}/Nm", "") or detail.findtext(f"RltdPties/{other}/Pty/Nm", "")
    holder = detail.find(f"RltdPties/{other}Acct/Id")
    account = "" if holder is None else holder.findtext("IBAN", "") or holder.findtext("Othr/Id", "")
    return name, account, detail.findtext(f"RltdAgts/{other}Agt/FinInstnId/Nm", "")


def _signed(amount: str, direction: str) -> str:
    if direction not in ("CRDT", "DBIT"):
        raise ValueError("neither credit nor debit")
    return f"-{amount.strip()}" if direction == "DBIT" else amount.strip()


def _mt940(content: bytes) -> list[dict[str, Any]]:
    import mt940

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    # each statement begins with its own reference
    parts = [part for part in re.split(r"(?m)(?=^:20:)", text) if part.startswith(":20:")]
    # details come as they stand: the library's own reading of them drops what it has no name for
    raw: Any = {"post_transaction_details": []}
    return [_mt940_statement(mt940.parse(part, processors=raw)) for part in parts]


#: Structured parts of an :86: in the words of SWIFT and of banks: the other side, its account and bank, and what it wrote; what else they name is text.
_SPOKEN = {
    "name": ("NAME", "ORDP", "BENM", "CNTP"),
    "account": ("ACC", "ACCT", "IBAN"),
    "bank": ("BIC", "BANK"),
    "text": (
        *("REMI", "EREF", "IREF", "PREF", "MARF", "TRCD", "TRTP", "PURP", "RTRN"),
        *("ADDR", "ISDT", "CSID", "OCMT", "CHGS", "EXCH", "OAMT", "ULTC", "ULTD"),
    ),
}
_CODES = {word: role for role, words in _SPOKEN.items() for word in words}
_CODED = re.compile(rf"/({'|'.join(_CODES)})/")
#: Or in numbered fields (``166?00GUTSCHRIFT?20...``), as the German banks' structure of :86: has it: 20 to 29 and 60 to 63 are one text, cut
#: wherever a field was full, and so are 32 and 33.
_NUMBERED = re.compile(r"\d{3}\?\d{2}")
_FIELD = re.compile(r"\?(\d{2})")
_FIELDS = {"30": "bank", "31": "account", "32": "name", "33": "name"}
_WRITTEN = {*map(str, range(20, 30)), "60", "61", "62", "63"}
#: Words that begin a part of that text.
_KEYWORD = re.compile(r"(?<=\S)(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|PURP|IBAN|BIC)\+")


def _mt940_statement(read: Any) -> dict[str, Any]:
    opening = read.data.get("final_opening_balance") or read.data.get("intermediate_opening_balance")
    closing = read.data.get("final_closing_balance") or read.data.get("intermediate_closing_balance")
    return {
        "account": read.data.get("account_identification", ""),
        "currencies": sorted({each.amount.currency for each in (opening, closing) if each}),
        "opening": str(opening.amount.amount) if opening else None,
        "closing": str(closing.amount.amount) if closing else None,
        "entries": [_mt940_entry(line.data) for line in list(read)[:MAX_LINES]],
    }


def _mt940_entry(data: dict[str, Any]) -> dict[str, Any]:
    told = _mt940_details(data.get("transaction_details") or "")
    for each in (data.get("customer_reference"), data.get("extra_details")):
        if each and each.strip() not in ("NONREF", "") and each.strip() not in told["text"]:
            told["text"] = f"{told['text']} {each.strip()}".strip()
    return {
        # the day of the booking; the value date may lie before or behind it
        "date": str(data.get("entry_date") or data["date"]),
        # the library takes a reversed credit (RC) for a credit; it went out
        "amount": str(abs(data["amount"].amount) * (-1 if data["status"] in ("D", "RC") else 1)),
        "reversal": data["status"] in ("RC", "RD"),
        "serial": data.get("bank_reference") or "",
        **told,
    }


def _mt940_details(written: str) -> dict[str, str]:
    """What an :86: says. What has no place of its own is text, and if nothing is found all of it is: no word of the bank is lost."""
    told = {"name": "", "account": "", "bank": "", "text": ""}
    if _NUMBERED.match(written):
        _, *pieces = _FIELD.split("".join(written.splitlines()))
        text, others = "", []
        for number, value in zip(pieces[::2], pieces[1::2], strict=True):
            if number in _FIELDS:
                told[_FIELDS[number]] += value
            elif number in _WRITTEN:
                text += value
            else:
                others.append(value.strip())
        told["text"] = " ".join(each for each in (*others, _KEYWORD.sub(r" \g<0>", text).strip()) if each)
    else:
        first, *pieces = _CODED.split(written.replace("\n", " "))
        told["text"] = first.strip()
        for code, value in zip(pieces[::2], pieces[1::2], strict=True):
            told[_CODES[code]] = f"{told[_CODES[code]]} {value.strip()}".strip()
    if not any(each.strip() for each in told.values()):
        told["text"] = written.replace("\n", " ").strip()
    return {name: each.strip() for name, each in told.items()}


if __name__ == "__main__":
    main()
