"""Numbers, the audit trail, events."""

from sqlmodel import Session

from orders.reconcile.checks.check import Check, Difference, sql
from shop.core import audit


def _audit_chain(session: Session, keep: int) -> tuple[int, list[Difference]]:
    faults = audit.verify(session)
    return len(faults), [Difference("audit_event", None, fault) for fault in faults[:keep]]


RECORDS = [
    sql(
        "contracts",
        "合同（含补充协议）与订单金额、运费一致",
        "Contracts with their supplements = the orders",
        """
        SELECT 'supplier_order ' || o.id AS subject, format('%s and freight %s fen', o.total_fen, o.freight_fen) AS expected,
               CASE WHEN c.goods IS NULL THEN 'no contract' ELSE format('%s and freight %s yuan', c.goods, c.freight) END AS found FROM supplier_order o
        LEFT JOIN LATERAL (SELECT (content ->> 'goods')::numeric AS goods, (content ->> 'freight')::numeric AS freight FROM contract
                           WHERE supplier_order_id = o.id ORDER BY supplement_no DESC LIMIT 1) c ON true
        WHERE o.confirmed_at IS NOT NULL AND (c.goods * 100, c.freight * 100) IS DISTINCT FROM (o.total_fen::numeric, o.freight_fen::numeric)
        """,
    ),
    sql(
        "contract_numbers",
        "合同编号连续无缺",
        "Contract numbers have no gaps",
        """
        SELECT coalesce(c.series, n.series) AS subject, format('1 to %s', n.last) AS expected, format('%s in all', c.made) AS found
        FROM (SELECT format('contract:%s:%s', substr(split_part(number, '-', 1), 3), split_part(number, '-', 2)::bigint) AS series,
                     count(*) AS made, max(split_part(number, '-', 3)::bigint) AS latest
              FROM contract WHERE supplement_no = 0 GROUP BY 1) c
        FULL JOIN (SELECT * FROM number_series WHERE starts_with(series, 'contract:')) n ON n.series = c.series
        WHERE (c.made, c.latest) IS DISTINCT FROM (n.last::bigint, n.last::bigint)
        """,
    ),
    sql(
        "certificate_numbers",
        "证书编号连续无缺",
        "Certificate numbers have no gaps",
        """
        SELECT 'certificate ' || coalesce(c.series, n.series) AS subject, format('1 to %s', n.last) AS expected,
               format('%s to %s, %s in all', c.first, c.latest, c.issued) AS found
        FROM (SELECT 'certificate:' || split_part(number, '-', 2) || ':' || split_part(number, '-', 3) AS series, count(*) AS issued,
                     min(split_part(number, '-', 4)::bigint) AS first, max(split_part(number, '-', 4)::bigint) AS latest
              FROM certificate WHERE number ~ '^CQ-[0-9]{4}-[0-9]{6}-[0-9]{1,15}$' GROUP BY 1) c
        FULL JOIN (SELECT * FROM number_series WHERE starts_with(series, 'certificate:')) n ON n.series = c.series
        WHERE (c.first, c.latest, c.issued) IS DISTINCT FROM (1, n.last, n.last)
        """,
    ),
    Check("audit_chain", "审计记录未被改动", "The audit trail is whole", _audit_chain),
    sql(
        "parked_events",
        "没有处理失败的事件",
        "No event was given up",
        """
        SELECT 'outbox_event ' || id AS subject, name AS expected, coalesce(last_error, 'parked') AS found
        FROM outbox_event WHERE parked_at IS NOT NULL
        """,
    ),
]
