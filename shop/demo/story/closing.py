"""A month that is closed by county and city, published under a number by two persons, and revised when a sale of it is told late."""

from datetime import date
from typing import Any

from shop.core.clock import shanghai_date
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.core.months import days_of, following, month_before
from shop.demo.cast import Cast, all_rows, same
from shop.demo.months import SAID
from shop.demo.people import COUNTY
from shop.demo.visitor import Surprise, Visitor

#: Counties that close beside the demo's own; the city names the others.
NEIGHBOURS = ("county-500240", "county-500229")
#: How many months the last close may lie back.
MONTHS_BACK = 24
FORMATS = ("json", "html", "pdf", "xlsx")


class Closing(Cast):
    """The officers who close a month, and the two of the city's office who publish it."""

    # --- the close --------------------------------------------------------------------------------------------------

    def checklist(self) -> str:
        """区县逐项核对上月清单，说明未清事项后结账 · Counties go through the list of a month, say why something is open, and close it"""
        self.month, self.closes_it = self._month_due()
        if not self.closes_it:
            return f"{self.month} is closed and published since the story was told before; it is revised once more"
        path = f"/v1/monthly-closes/{self.month}"
        own = self.county.get(path)
        if own["standing"]:
            refusal = self.county.ask("POST", f"{path}/close", 409, json={})
            same("the refusal", refusal["code"], "items_open")
        closed = [self._close(officer) for officer in (self.county, *map(self.person, NEIGHBOURS))]
        told = "; ".join(f"{item['label']}: {item['count']}" for item in closed[0]["items"])
        return f"{self.month}, {len(closed)} counties. {COUNTY}: {told}"

    def city_close(self) -> str:
        """市级结账，逐一列明未结账区县及原因，此后该月不再记账 · The city closes and names each county that has not; the month takes no entry any more"""
        path = f"/v1/monthly-closes/{self.month}"
        seen = self.city.get(path)
        if self.closes_it:
            lacking = [county["code"] for county in seen["counties"] if county["closed_at"] is None]
            refusal = self.city.ask("POST", f"{path}/close", 409, json={})
            same("the refusal", refusal["code"], "counties_lacking")
            seen = self._close(self.city, {"without": lacking, "reason": "其余区县由市级代为核对"})
            same("counties that are named", seen["without"], lacking)
        same("what keeps it open", seen["standing"], [])
        return f"{self.month} closed by {seen['closed_by']}, without {len(seen['without'])} counties: {seen['reason']}"

    # --- the bulletin -----------------------------------------------------------------------------------------------

    def bulletin(self) -> str:
        """一人起草、另一人发布编号通报，发布后不再改动 · One person drafts the bulletin, another publishes it; it gets a number and is frozen"""
        if self.closes_it:
            self._explain_doubt()
            self._publish(self.city.post("/v1/bulletins", json={"month": self.month}))
        first = self._editions()[-1]
        self.number = first["number"]
        self.files = self._files(self.number)
        content = self.public.get(f"/v1/public/bulletins/{self.number}")["content"]
        districts = [row["figures"]["now"]["amount_fen"] for row in content["districts"]]
        total = content["totals"]["figures"]["now"]["amount_fen"]
        same("the sum of its districts", sum(districts), total)
        sizes = ", ".join(f"{kind} {len(made):,}" for kind, made in self.files.items())
        return (
            f"{self.number}: {yuan_from_fen(total)} yuan in {len(districts)} districts, {len(content['withheld'])} withheld;"
            f" bytes: {sizes}; SHA-256 {first['sha256'][:16]}…"
        )

    def late_claim(self) -> str:
        """结账后补报该月销售：审核通过，计入已结月份之后，已结月份不变 · A sale of the month is told late: it counts after the close, the closed month stays"""
        (first, last), today = days_of(self.month), shanghai_date(self.moved_to)
        before = self._sold(first, last), self._sold(following(first), today)
        fen = 100_000 + int(self.tag, 16) % 90_000
        claimed = self.claim(self.rival, f"5024{int(self.tag, 16):016}", last, fen)
        self.late = self.county.post(f"/v1/external-sales/{claimed['id']}/accept", expect=200)
        after = self._sold(first, last), self._sold(following(first), today)
        same("what the figures gained: the closed month, the time since", (after[0] - before[0], after[1] - before[1]), (0, fen))
        return f"{self.late['number']}: {self.late['total']} yuan, sold on {last}, counted since {following(first)}"

    # --- the revision -----------------------------------------------------------------------------------------------

    def revision(self) -> str:
        """发布修订版，差异表逐笔可查 · A revision is published, with a table of its differences down to the line"""
        self._explain_doubt()
        draft = {"month": self.month, "reason": f"补报 {self.late['number']}"}
        revised = self._publish(self.city.post("/v1/bulletins/revisions", json=draft))
        lines = all_rows(self.monitor, f"/v1/bulletins/{revised['id']}/changes")
        told, content = revised["content"]["revision"], revised["content"]
        same("lines", len(lines), told["lines"])
        bought = [line for line in lines if line["direction"] == "purchase"]
        difference = content["totals"]["figures"]["now"]["amount_fen"] - told["before"]["amount_fen"]
        same("the sum of the lines", sum(fen_from_yuan(line["amount"]) for line in bought), difference)
        [line] = [line for line in lines if self.late["number"] in line["documents"]]
        same("the late sale", (line["cause"], line["amount"]), ("late", self.late["total"]))
        rows = [
            f"{row['zh']} {cause} {yuan_from_fen(row[cause]['amount_fen'])}"
            for row in told["districts"]
            for cause in ("late", "reversal", "again", "revoked", "verified")
            if row[cause]["entries"] or row[cause]["certified_fen"]
        ]
        return (
            f"{content['number']} of {told['of']}: {yuan_from_fen(told['before']['amount_fen'])} → "
            f"{yuan_from_fen(told['before']['amount_fen'] + difference)} yuan; {', '.join(rows)}; {len(lines)} lines, one of them: "
            f"{line['cause_label']} {line['product']} {line['amount']} yuan of {line['occurred_on']}, {', '.join(line['documents'])}"
        )

    def unchanged(self) -> str:
        """旧编号仍得到一字不差的原文件 · The old number still gives the very same bytes"""
        again = self._files(self.number)
        same("files that differ", [kind for kind in FORMATS if again[kind] != self.files[kind]], [])
        old = self.public.get(f"/v1/public/bulletins/{self.number}")
        same("its state", old["status"], "superseded")
        newest = self.public.get(f"/v1/public/bulletins/{old['newest']}")
        if "修订差异" not in self.public.download(f"/v1/public/bulletins/{old['newest']}/files/html").decode():
            raise Surprise(f"{old['newest']} has no table of differences")
        figures = [shown["content"]["totals"]["figures"]["now"]["amount_fen"] for shown in (old, newest)]
        return f"{self.number} says {yuan_from_fen(figures[0])} yuan as before, {old['newest']} {yuan_from_fen(figures[1])}"

    # --- what they do and look up -----------------------------------------------------------------------------------

    def _month_due(self) -> tuple[str, bool]:
        """The month that is closed next, and True; where all that are over are closed, the last of them, and False."""
        latest = due = month_before(shanghai_date(self.moved_to))
        for _ in range(MONTHS_BACK):
            if self.city.get(f"/v1/monthly-closes/{due}")["closed_at"]:
                return (due, False) if due == latest else (f"{following(days_of(due)[0]):%Y-%m}", True)
            due = month_before(days_of(due)[0])
        return latest, True

    def _close(self, officer: Visitor, body: dict[str, Any] | None = None) -> dict[str, Any]:
        path = f"/v1/monthly-closes/{self.month}"
        for item in officer.get(path)["standing"]:
            officer.post(f"{path}/explanations", json={"item": item, "explanation": SAID[item]})
        closed: dict[str, Any] = officer.post(f"{path}/close", json=body or {})
        return closed

    def _explain_doubt(self) -> None:
        """The county's figure is published though its papers may be weak: the city says why."""
        path = f"/v1/monthly-closes/{self.month}"
        [own] = [row for row in self.city.get(f"{path}/grades")["districts"] if row["district"] == COUNTY]
        if not own["published"]:
            body = {"district": COUNTY, "explanation": "已与供应商台账逐笔核对"}
            self.city.post(f"{path}/figure-explanations", json=body)

    def _publish(self, drafted: dict[str, Any]) -> dict[str, Any]:
        """Not by whoever drafted it."""
        path, body = f"/v1/bulletins/{drafted['id']}/publish", {"sha256": drafted["sha256"]}
        same("the refusal", self.city.ask("POST", path, 403, json=body)["code"], "own_draft")
        published: dict[str, Any] = self.publisher.post(path, expect=200, json=body)
        return published

    def _editions(self) -> list[dict[str, Any]]:
        """The bulletin of the month and its revisions, the newest first."""
        return [row for row in all_rows(self.public, "/v1/public/bulletins") if row["month"] == self.month]

    def _files(self, number: str) -> dict[str, bytes]:
        return {kind: self.public.download(f"/v1/public/bulletins/{number}/files/{kind}") for kind in FORMATS}

    def _sold(self, first: date, last: date) -> int:
        """What was sold from one day to another, in fen."""
        query = {"from": first.isoformat(), "to": last.isoformat(), "measure": "amount"}
        return fen_from_yuan(self.monitor.get("/v1/statistics/sales", **query)["totals"]["figures"]["amount"])
