"""The money: online and by the bank, too little and too much, back by two persons, and on to the cooperative."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import httpx

from orders.banking.rules import Entry
from shop.core.clock import shanghai_date
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.demo.bank import statement_file
from shop.demo.cast import Cast, same
from shop.demo.visitor import PATIENCE_SECONDS, Surprise

#: What the school transfers first for the new product, and by how much too much afterwards, in fen.
FIRST_FEN, SURPLUS_FEN = 1_000_00, 50_00
SCHOOLS_ACCOUNT, COOPS_ACCOUNT = "3100021009014466123", "6217002010001234567"


class Paying(Cast):
    """Buyer, marketplace and supplier settle up."""

    # --- the buyers pay ---------------------------------------------------------------------------------------------

    def online_payment(self) -> str:
        """企业在线支付（微信），演示用模拟支付 · The firm pays online by WeChat; in the demo a stand-in takes no money"""
        path = f"/v1/purchase-orders/{self.gift['id']}"
        if not self.cashier.get("/v1/online-payment-standing")["on"]:
            return "online payment is off on this server: no key is set; everything else works"
        begun = self.firm.post(f"{path}/online-payments", json={"method": "wechat_pay"})
        payment_path = f"/v1/online-payments/{begun['id']}"
        ready = self._until(lambda: self._state(payment_path, "requires_action"), "the QR code")
        # what the code leads to: the page of the wallet, where the payer agrees
        agreed = httpx.post(ready["qr_code"], json={"outcome": "approve"}, timeout=60, trust_env=False)
        same("the wallet's answer", agreed.status_code, 200)
        paid = self._until(lambda: self._state(payment_path, "succeeded"), "the payment")
        same("what came", paid["received"], self.gift["total"])
        same("due", self.firm.get(f"{path}/payments")[-1]["order_due"], "0.00")
        return f"{self.gift['number']}: {paid['received']} yuan, {paid['status']}"

    def statement(self) -> str:
        """平台出纳预览并导入银行对账单，按规则自动核对 · The cashier previews and imports the bank's statement; rules match what is certain"""
        canteen, direct = self.orders
        slip = self.finance.get(f"/v1/purchase-orders/{direct['id']}/transfer-instructions")
        owed, reference = fen_from_yuan(slip["amount"]), slip["payment_reference_printed"]
        second = owed - FIRST_FEN + SURPLUS_FEN
        lines = [
            self._line(self.accepted_fen(canteen), f"DEMO-{self.tag}", slip["payer_name"], "食堂货款"),
            self._line(FIRST_FEN, f"A{self.tag}", slip["payer_name"], f"货款 {reference}"),
            self._line(second, f"B{self.tag}", slip["payer_name"], f"尾款 {reference}"),
        ]
        imported = self._imported(lines)
        matched = self._until(lambda: self._lines(imported, 2), "the matches")
        by_amount = {fen_from_yuan(line["amount"]): line for line in matched}
        same("a part payment", by_amount[FIRST_FEN]["status"], "matched")
        self.surplus_line = by_amount[second]
        same("more than is due waits for a person", self.surplus_line["status"], "open")
        return f"{imported['line_count']} lines, 2 matched; {self.surplus_line['amount']} yuan wait, {yuan_from_fen(owed - FIRST_FEN)} were due"

    def overpayment(self) -> str:
        """多付款由出纳核对：订单付清，余款记为采购人的贷方余额 · The cashier matches what is too much: paid in full, the rest is the buyer's credit"""
        path, order_id = f"/v1/bank-lines/{self.surplus_line['id']}", self.orders[1]["id"]
        likely = self.cashier.get(path)["proposals"][0]
        same("what it is for", (likely["kind"], likely["purchase_order_id"]), ("order", order_id))
        parts = [{"kind": "order", "purchase_order_id": order_id, "amount": self.surplus_line["amount"]}]
        refusal = self.cashier.post(f"{path}/matches", expect=409, json={"parts": parts})
        line = self.cashier.post(f"{path}/matches", json={"parts": parts, "allow_credit": True, "note": "采购人多付"})
        same("status", line["status"], "matched")
        due = self.school.get(f"/v1/purchase-orders/{order_id}/payments")[-1]["order_due"]
        same("due", due, yuan_from_fen(-SURPLUS_FEN))
        return f"refused without saying so: {refusal['title']}; now due {due} yuan"

    # --- and back ---------------------------------------------------------------------------------------------------

    def refund_request(self) -> str:
        """余款退回：一人申请，另一人批准，进银行付款文件 · The credit goes back: one asks, another releases, a file for the bank"""
        payee = {"name": self.orders[1]["buyer_name"], "account": SCHOOLS_ACCOUNT, "bank": "演示银行重庆分行"}
        body = {"amount": yuan_from_fen(SURPLUS_FEN), "reason": "多付退回", "payee": payee}
        asked = self.cashier.post(f"/v1/purchase-orders/{self.orders[1]['id']}/refunds", json=body)
        refusal = self.cashier.ask("POST", f"/v1/refunds/{asked['id']}/approve", 403)
        self.treasurer.post(f"/v1/refunds/{asked['id']}/approve", expect=200)
        file = self.cashier.post("/v1/refund-files", json={"layout": "icbc", "refund_ids": [asked["id"]]})
        self.cashier.download(f"/v1/refund-files/{file['id']}/file?format=xlsx")
        self.cashier.post(f"/v1/refund-files/{file['id']}/send", expect=200, json={"reference": f"TK{self.tag}"})
        self.refund = self.finance.get(f"/v1/refunds/{asked['id']}")
        same("status", self.refund["status"], "sent")
        return f"{self.refund['number']}: {self.refund['amount']} yuan in {file['number']}; its own asker was refused: {refusal['title']}"

    def invoice(self) -> str:
        """合作社开具结算发票并登记数电票号码 · The cooperative issues an invoice and registers its tax invoice number"""
        part = self.orders[1]["supplier_orders"][0]["id"]
        issued = self.coop.post(f"/v1/supplier-orders/{part}/invoices", json={})
        today = self._money_day()
        number = f"{today:%y}502{int(self.tag, 16):015}"
        claim = {
            "number": number,
            "type": "ordinary",
            "issued_on": today.isoformat(),
            "gross": issued["gross"],
            "vat": issued["vat"],
            "invoice_ids": [issued["id"]],
        }
        registered = self.coop.post("/v1/tax-invoices", json={"invoices": [claim]})[0]
        same("what it differs by", registered["difference"], "0.00")
        seen = self.finance.get("/v1/tax-invoices", supplier_order_id=part)["items"]
        same("what the school's finance sees", number in [row["number"] for row in seen], True)
        return f"{issued['number']}: {issued['gross']} yuan, VAT {issued['vat']}; {number}"

    # --- on to the cooperative --------------------------------------------------------------------------------------

    def settlement_run(self) -> str:
        """结算期满（时钟前进），平台与供应商结算 · The period ends (the clock moves), and suppliers are settled with"""
        account = {"holder": self.organisation["name"], "bank": "演示农商银行", "number": COOPS_ACCOUNT, "reason": "首次登记"}
        asked = self.coop.post("/v1/payout-accounts", json=account)
        self.treasurer.post(f"/v1/payout-accounts/{asked['id']}/approve", expect=200, json={"note": "已电话核实"})
        ends = date.fromisoformat(self.coop.get("/v1/settlements/mine")["next_period_end"])
        held = self.coop.get("/v1/settlements/mine")["held"]
        window = shanghai_date(datetime.fromisoformat(self.accepted[-1]["accepted_at"])) + timedelta(days=8)
        today = self._money_day()
        days = max((max(ends + timedelta(days=1), window) - today).days, 1)
        self.moved_to = datetime.fromisoformat(self.admin.post("/v1/demo/clock", expect=200, json={"days": days})["now"])
        run = self.cashier.post("/v1/settlements/run", json={})
        self.settlement = self._until(self._settled, "the settlement")
        same("sales", self.settlement["sales"], yuan_from_fen(self.accepted_fen(self.orders[1])))
        waited = "; ".join(f"{each['amount']} held: {each['why']}" for each in held)
        return f"{waited}. {run['period_end']}: {self.settlement['number']}, {self.settlement['due']} yuan to the cooperative"

    def suppliers_view(self) -> str:
        """合作社查看结算单并确认 · The cooperative reads its statement and confirms it"""
        path = f"/v1/settlements/{self.settlement['id']}"
        lines = self.coop.get(f"{path}/lines", held=False)["items"]
        same("the sum of the lines", sum(fen_from_yuan(line["net"]) for line in lines), fen_from_yuan(self.settlement["net"]))
        for file, beginning in ((f"{path}/statement?format=xlsx", b"PK"), (f"{path}/statement.pdf", b"%PDF-")):
            same("the beginning of the file", self.coop.download(file)[: len(beginning)], beginning)
        confirmed = self.coop.post(f"{path}/confirm", expect=200)
        same("status", confirmed["status"], "confirmed")
        return f"{len(lines)} lines, XLSX and PDF; {confirmed['status']}"

    def payout(self) -> str:
        """付款：一人审批，另一人放行，列入银行付款清单 · The payout: approved by one, released by another, on a list for the bank"""
        path = f"/v1/payouts/{self.settlement['payout_id']}"
        self.cashier.post(f"{path}/approve", expect=200, json={"method": "bank"})
        refusal = self.cashier.ask("POST", f"{path}/release", 403)
        self.treasurer.post(f"{path}/release", expect=200)
        file = self.cashier.post("/v1/payout-files")
        self.cashier.download(f"/v1/payout-files/{file['id']}/content?format=xlsx")
        self.cashier.post(f"/v1/payout-files/{file['id']}/send", expect=200, json={"reference": file["number"]})
        same("status", self.coop.get(path)["status"], "sent")
        return f"{file['number']}: {file['payout_count']} payouts, {file['amount']} yuan; who approved it was refused: {refusal['title']}"

    def second_statement(self) -> str:
        """下一份对账单显示退款和付款 · The next statement shows the refund and the payout"""
        path = f"/v1/payouts/{self.settlement['payout_id']}"
        [attempt] = self.coop.get(path)["attempts"]
        number = f"{self.settlement['number']}-{attempt['id']}"  # as it stands on the list for the bank
        back, out = -fen_from_yuan(self.refund["amount"]), -fen_from_yuan(self.settlement["due"])
        lines = [
            self._line(back, f"R{self.tag}", self.orders[1]["buyer_name"], f"退款 {self.refund['number']}", SCHOOLS_ACCOUNT),
            self._line(out, f"P{self.tag}", self.organisation["name"], f"{number} 货款结算", COOPS_ACCOUNT),
        ]
        imported = self._imported(lines)
        self._until(lambda: self._lines(imported, 2), "the matches of refund and payout")
        same("the refund", self.finance.get(f"/v1/refunds/{self.refund['id']}")["status"], "paid")
        same("the payout", self.coop.get(path)["status"], "paid")
        standing = self.cashier.get("/v1/bank-reconciliation")
        same("bank and books", standing["difference"], "0.00")
        return f"the bank holds {standing['statement_balance']} yuan, and so say the books"

    # --- what they look up ------------------------------------------------------------------------------------------

    def _money_day(self) -> date:
        return shanghai_date(self.moved_to)

    def _state(self, path: str, status: str) -> dict[str, Any] | None:
        found: dict[str, Any] = self.firm.get(path)
        if found["status"] in ("failed", "cancelled"):
            raise Surprise(f"the online payment is {found['status']}: {found['error_text']}")
        return found if found["status"] == status else None

    def _lines(self, imported: dict[str, Any], matched: int) -> list[dict[str, Any]] | None:
        """The lines of a statement, once so many of them are matched."""
        found: list[dict[str, Any]] = self.cashier.get("/v1/bank-lines", statement_id=imported["id"])["items"]
        return found if sum(line["status"] == "matched" for line in found) == matched else None

    def _settled(self) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = self.coop.get("/v1/settlements")["items"]
        return found[0] if found else None

    def _line(self, amount_fen: int, serial: str, name: str, text: str, account: str = SCHOOLS_ACCOUNT) -> Entry:
        return Entry(0, self._money_day(), amount_fen, None, serial, name, account, "演示银行重庆分行", text)

    def _imported(self, lines: list[Entry]) -> dict[str, Any]:
        """Have the cashier look at a statement that goes on from the last one, and import it."""
        held = fen_from_yuan(self.cashier.get("/v1/bank-reconciliation")["statement_balance"])
        _, content = statement_file(held, lines)
        name = f"statement-{self.tag}.csv"
        seen = self.cashier.post("/v1/bank-statements/preview", expect=200, files={"file": (name, content)})
        same("what stands against it, and new lines", (seen["problem"], seen["new_count"]), (None, len(lines)))
        imported: dict[str, Any] = self.cashier.post("/v1/bank-statements", files={"file": (name, content)})
        return imported

    def _until(self, look: Callable[[], dict[str, Any] | list[dict[str, Any]] | None], what: str) -> Any:
        """Wait until the worker has done it."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (found := look()) is None:
            if time.monotonic() > give_up:
                raise Surprise(f"{what} did not come")
            time.sleep(0.3)
        return found
