"""Certificates, and the people behind them."""

from sqlmodel import Session

from catalog.monitoring.queries.kept import Figures, kept_and_counted
from orders.reconcile.checks.check import Check, Difference, sql


def _stock(session: Session, keep: int) -> tuple[int, list[Difference]]:
    kept, counted = kept_and_counted(session)
    wrong = [cell for cell in sorted(kept | counted) if kept.get(cell) != counted.get(cell)]
    # which of them differ, and not by how much: who reads this may not be one who may know how many households there are
    return len(wrong), [
        Difference(f"certified_stock {' '.join(cell).rstrip()}", "as the lists", _differing(kept.get(cell), counted.get(cell)))
        for cell in wrong[:keep]
    ]


def _differing(kept: Figures | None, counted: Figures | None) -> str:
    if kept is None or counted is None:
        return "nothing kept" if kept is None else "nothing listed"
    return f"other {', '.join(name for name in kept if kept[name] != counted[name])}"


CERTIFICATES = [
    sql(
        "orders_certified",
        "下单时证书均有效",
        "Orders were placed under certificates in force",
        # What the certificate's row says, and what its history says: a measure lasts until its end or the next event of its kind. Papers only
        # ever get more time, so the row's last day of them is right for the past as well.
        """
        WITH stop AS (
            SELECT * FROM (
                SELECT certificate_id, kind, at AS since, least(until, lead(at) OVER (PARTITION BY certificate_id, measure ORDER BY id)) AS ended
                FROM (SELECT *, CASE WHEN kind IN ('held', 'released') THEN 'hold' WHEN kind = 'revoked' THEN 'revocation' ELSE 'suspension' END
                             AS measure
                      FROM certificate_event
                      WHERE kind IN ('held', 'released', 'revoked', 'suspended', 'suspension_changed', 'reinstated')) e) m
            WHERE kind NOT IN ('released', 'reinstated')
        ), line AS (
            SELECT *, (placed_at AT TIME ZONE 'Asia/Shanghai')::date AS day
            FROM (SELECT l.id, l.product_id, l.certificate_id, coalesce(l.agreed_at, o.placed_at) AS placed_at
                  FROM order_line l JOIN purchase_order o ON o.id = l.purchase_order_id) p
        ), wrong AS (
            SELECT l.* FROM line l JOIN certificate f ON f.id = l.certificate_id
            WHERE f.product_id <> l.product_id OR l.day NOT BETWEEN f.valid_from AND f.valid_until OR f.papers_valid_until < l.day
               OR f.revoked_at < l.placed_at OR f.held_at < l.placed_at
               OR f.suspended_at < l.placed_at AND (f.suspended_until IS NULL OR f.suspended_until > l.placed_at)
            UNION
            SELECT l.* FROM line l JOIN stop s USING (certificate_id)
            WHERE s.since < l.placed_at AND (s.ended IS NULL OR s.ended > l.placed_at)
        )
        SELECT 'order_line ' || id AS subject, format('certificate %s in force at %s', certificate_id, placed_at) AS expected,
               'not in force' AS found FROM wrong
        """,
    ),
    sql(
        "certificates_of_cases",
        "认定申请与证书一一对应",
        "Approved applications and certificates, one to one",
        """
        SELECT 'certification_case ' || coalesce(k.id, f.case_id) AS subject, CASE WHEN k.id IS NULL THEN 'none' ELSE 'a certificate' END AS expected,
               coalesce(f.number, 'none') AS found
        FROM (SELECT id FROM certification_case WHERE status = 'approved' AND kind IN ('initial', 'renewal')) k
        FULL JOIN certificate f ON f.case_id = k.id
        WHERE k.id IS NULL OR f.id IS NULL
        """,
    ),
    sql(
        "batches",
        "已发布批次的证书齐全",
        "Published batches have their certificates",
        """
        SELECT 'certification_case ' || coalesce(k.id, f.case_id) AS subject, 'batch ' || k.batch_id AS expected, 'batch ' || f.batch_id AS found
        FROM (SELECT k.id, k.batch_id FROM certification_case k JOIN catalogue_batch b ON b.id = k.batch_id
              WHERE b.status = 'published' OR k.status = 'approved') k
        FULL JOIN (SELECT case_id, batch_id FROM certificate WHERE batch_id IS NOT NULL) f ON f.case_id = k.id
        WHERE k.batch_id IS DISTINCT FROM f.batch_id
        UNION ALL
        SELECT 'catalogue_batch ' || b.id, 'certificates', 'none' FROM catalogue_batch b
        WHERE b.status = 'published' AND NOT EXISTS (SELECT FROM certificate f WHERE f.batch_id = b.id)
        """,
    ),
    sql(
        "households",
        "户数人数与名单一致",
        "Stated households and persons = the list",
        # What is still written, or was given up, need not agree. Who reads this may not be one who may know how many they are.
        """
        SELECT 'certification_case ' || k.id AS subject, 'as the list' AS expected,
               concat_ws(', ', CASE WHEN k.households <> m.households THEN 'other households' END, CASE WHEN k.persons <> m.persons THEN 'other persons' END,
                         CASE WHEN (f.households, f.persons) IS DISTINCT FROM (m.households, m.persons) AND f.id IS NOT NULL
                              THEN 'another certificate' END) AS found
        FROM certification_case k
        JOIN (SELECT case_id AS id, count(DISTINCT household_hash) AS households, count(*) AS persons
              FROM household_member GROUP BY case_id) m USING (id)
        LEFT JOIN certificate f ON f.case_id = k.id
        WHERE k.status NOT IN ('draft', 'returned', 'withdrawn')
          AND ((k.households, k.persons) IS DISTINCT FROM (m.households, m.persons)
               OR f.id IS NOT NULL AND (f.households, f.persons) IS DISTINCT FROM (m.households, m.persons))
        """,
    ),
    Check("certified_stock", "认定存量 = 按名单重新统计", "What is kept of certificates in force = a recount of the lists", _stock),
]
