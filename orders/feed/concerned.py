"""Which organisations an event concerns, and by what each can look it up. One entry for each event that buyers, suppliers or operators hear of.

Every statement gives rows of (organisation_id, subject_type, subject_id) for the ``:id`` that the event names.
"""

# ruff: noqa: S608  statements are put together from constants only

from orders.effects.rules import OPEN

_OPEN = ", ".join(f"'{status}'" for status in OPEN)

#: The buyer, and the unit that ordered.
_BUYERS = "unnest(ARRAY[po.buyer_id, po.ordering_unit_id])"
_ORDER = f"SELECT {_BUYERS}, 'purchase_order', po.id FROM purchase_order po WHERE po.id = :id"
_PARTS = f"{_ORDER} UNION SELECT supplier_id, 'supplier_order', id FROM supplier_order WHERE purchase_order_id = :id"
_PART = """
    SELECT unnest(ARRAY[po.buyer_id, po.ordering_unit_id, so.supplier_id]), '{subject}', {of}.id
    FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id {join} WHERE {by}.id = :id
"""
_SHIPMENT = "JOIN shipment s ON s.supplier_order_id = so.id"
_ACCEPTANCE = f"{_SHIPMENT} JOIN acceptance a ON a.shipment_id = s.id"

_CERTIFICATE = "SELECT supplier_id, 'certificate', id FROM certificate WHERE id = :id"
#: Buyers with open orders under a certificate hear when it stops or goes on. The supplier's open orders are few; its lines are found by them.
_CERTIFICATE_IN_USE = f"""
    {_CERTIFICATE}
    UNION
    SELECT {_BUYERS}, 'open_orders', c.id FROM certificate c
    JOIN supplier_order so ON so.supplier_id = c.supplier_id AND so.status IN ({_OPEN})
    JOIN purchase_order po ON po.id = so.purchase_order_id
    WHERE c.id = :id AND EXISTS (SELECT FROM order_line l WHERE l.supplier_order_id = so.id AND l.certificate_id = c.id)
"""
_REVOCATION = (
    "SELECT c.supplier_id, 'certificate', c.id FROM revocation r JOIN certificate c ON c.id = r.certificate_id WHERE r.id = :id"
)
_CASE = "SELECT supplier_id, 'certification_case', id FROM certification_case WHERE id = :id"
_OBJECTION = """
    SELECT c.supplier_id, 'certification_case', c.id FROM objection j JOIN certification_case c ON c.id = j.case_id WHERE j.id = :id
"""
#: The supplier, and the organisation that complained if it was one.
_COMPLAINT = """
    SELECT organisation, 'complaint', id FROM complaint CROSS JOIN unnest(ARRAY[supplier_id, organisation_id]) organisation
    WHERE id = :id AND organisation IS NOT NULL
"""
_OF_CERTIFICATE = (
    "SELECT c.supplier_id, '{subject}', t.id FROM {table} t JOIN certificate c ON c.id = t.certificate_id WHERE t.id = :id"
)
_BAR = "SELECT organisation_id, 'organisation', organisation_id FROM blacklist_entry WHERE id = :id"
_CREDIT_LIMIT = "SELECT organisation_id, 'credit_limit', organisation_id FROM credit_limit WHERE organisation_id = :id"
_ORGANISATION = "SELECT id, 'organisation', id FROM organisation WHERE id = :id"

#: What hangs on a supplier order, for both of its sides.
_OF_PART = """
    SELECT unnest(ARRAY[po.buyer_id, po.ordering_unit_id, so.supplier_id]), '{subject}', t.id
    FROM {table} t JOIN supplier_order so ON so.id = t.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id WHERE t.id = :id
"""
_AGREEMENT = "SELECT unnest(ARRAY[buyer_id, supplier_id]), 'agreement', id FROM agreement WHERE id = :id"
_AGREEMENT_CHANGE = """
    SELECT unnest(ARRAY[a.buyer_id, a.supplier_id]), 'agreement', a.id FROM agreement_change c JOIN agreement a ON a.id = c.agreement_id
    WHERE c.id = :id
"""
_CROP_LOSS = """
    SELECT supplier_id, 'crop_loss', id FROM crop_loss WHERE id = :id
    UNION SELECT a.buyer_id, 'crop_loss', s.crop_loss_id FROM crop_loss_share s JOIN agreement_line l ON l.id = s.agreement_line_id
          JOIN agreement a ON a.id = l.agreement_id WHERE s.crop_loss_id = :id
"""
_REQUEST = "SELECT unnest(ARRAY[buyer_id, ordering_unit_id]), 'purchase_request', id FROM purchase_request WHERE id = :id"
_APPLICATION = """
    SELECT unnest(ARRAY[a.from_unit_id, a.to_unit_id, po.ordering_unit_id]), 'budget_unit_application', a.id
    FROM budget_unit_application a JOIN purchase_order po ON po.id = a.purchase_order_id WHERE a.id = :id
"""
#: The buyer and the unit that asks in its place, who alone hear how many quotations there are; and the suppliers who were asked by name or by
#: match.
_SOURCING_BUYER = """
    SELECT unnest(ARRAY[q.buyer_id, u.organisation_id]), 'quotation_request', q.id
    FROM quotation_request q JOIN app_user u ON u.id = q.created_by WHERE q.id = :id
"""
_SOURCING = f"""
    {_SOURCING_BUYER}
    UNION SELECT supplier_id, 'quotation_request', quotation_request_id FROM quotation_invitation WHERE quotation_request_id = :id
"""
_SOURCING_QUOTED = f"""
    {_SOURCING_BUYER}
    UNION SELECT supplier_id, 'quotation_request', quotation_request_id FROM quotation WHERE quotation_request_id = :id
"""

_PAYMENT = f"""
    SELECT {_BUYERS}, 'purchase_order', po.id FROM payment p JOIN purchase_order po ON po.id = p.purchase_order_id WHERE p.id = :id
    UNION SELECT so.supplier_id, 'supplier_order', so.id FROM payment p JOIN supplier_order so USING (purchase_order_id) WHERE p.id = :id
"""
_REFUND = f"""
    SELECT {_BUYERS}, 'refund', r.id FROM refund r JOIN purchase_order po ON po.id = r.purchase_order_id WHERE r.id = :id
"""
_PAYOUT = "SELECT supplier_id, 'payout', id FROM payout WHERE id = :id"
_INVOICE = "SELECT unnest(ARRAY[buyer_id, ordering_unit_id, seller_id]), '{subject}', id FROM {table} WHERE id = :id"
_ONLINE_PAYMENT = f"""
    SELECT {_BUYERS}, 'online_payment', o.id FROM online_payment o JOIN purchase_order po ON po.id = o.purchase_order_id WHERE o.id = :id
"""
_CHARGE_DISPUTE = f"""
    SELECT {_BUYERS}, 'charge_dispute', d.id FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id
    JOIN purchase_order po ON po.id = o.purchase_order_id WHERE d.id = :id
"""
#: Whoever claimed it and both parties of the sale, once it was handed in; a draft is nobody's news.
_CLAIM = """
    SELECT organisation, 'external_sale', id FROM external_sale
    CROSS JOIN unnest(ARRAY[claimant_id, supplier_id, buyer_id]) organisation
    WHERE id = :id AND submitted_at IS NOT NULL AND organisation IS NOT NULL
"""
_OUTLET = "SELECT operator_id, '{subject}', id FROM outlet WHERE id = :id"
_BATCH = "SELECT o.operator_id, 'sales_batch', b.id FROM sales_batch b JOIN outlet o ON o.id = b.outlet_id WHERE b.id = :id"
#: Doubts about what an outlet sold; what becomes of a claim is told of the claim.
_BATCH_OF_HOLD = """
    SELECT o.operator_id, 'sales_batch', b.id
    FROM counting_hold h LEFT JOIN sales_batch_line l ON h.subject_kind = 'sales_batch_line' AND l.id = h.subject_id
    JOIN sales_batch b ON b.id = coalesce(l.batch_id, CASE h.subject_kind WHEN 'sales_batch' THEN h.subject_id END)
    JOIN outlet o ON o.id = b.outlet_id WHERE h.id = :id
"""
#: Figures for everybody: each organisation that takes part hears of an edition.
_BULLETIN = "SELECT o.id, 'bulletin', b.id FROM bulletin b JOIN organisation o ON o.status = 'approved' WHERE b.id = :id"
_REPORT = "SELECT organisation_id, 'report', id FROM report WHERE id = :id AND organisation_id IS NOT NULL"
_PLEDGE = "SELECT organisation_id, 'pledge', id FROM pledge WHERE id = :id"
_PROOF = "SELECT p.organisation_id, 'pledge', p.id FROM purchase_proof f JOIN pledge p ON p.id = f.pledge_id WHERE f.id = :id"

#: Event -> the member of its payload that is ``:id``, and the statement.
CONCERNED: dict[str, tuple[str, str]] = {
    "acceptance.recorded": ("acceptance_id", _PART.format(subject="shipment", of="s", join=_ACCEPTANCE, by="a")),
    "acceptance_correction.moved": (
        "correction_id",
        _OF_PART.format(subject="acceptance_correction", table="acceptance_correction"),
    ),
    "advance.paid": ("advance_id", "SELECT supplier_id, 'advance', id FROM advance WHERE id = :id"),
    "advance.returned": ("advance_id", "SELECT supplier_id, 'advance', id FROM advance WHERE id = :id"),
    "agreement.declined": ("agreement_id", _AGREEMENT),
    "agreement.instalments_late": ("agreement_id", _AGREEMENT),
    "agreement.proposed": ("agreement_id", _AGREEMENT),
    "agreement.revised": ("agreement_id", _AGREEMENT),
    "agreement.signed": ("agreement_id", _AGREEMENT),
    "agreement.withdrawn": ("agreement_id", _AGREEMENT),
    "agreement_change.answered": ("agreement_change_id", _AGREEMENT_CHANGE),
    "agreement_change.proposed": ("agreement_change_id", _AGREEMENT_CHANGE),
    "amendment.answered": ("amendment_id", _OF_PART.format(subject="amendment", table="amendment")),
    "amendment.proposed": ("amendment_id", _OF_PART.format(subject="amendment", table="amendment")),
    "blacklist.lifted": ("entry_id", _BAR),
    "blacklist.listed": ("entry_id", _BAR),
    "budget_unit_application.decided": ("application_id", _APPLICATION),
    "budget_unit_application.filed": ("application_id", _APPLICATION),
    "bulletin.published": ("bulletin_id", _BULLETIN),
    "call_off.drafted": (
        "call_off_draft_id",
        "SELECT a.buyer_id, 'call_off_draft', d.id FROM call_off_draft d JOIN agreement a ON a.id = d.agreement_id WHERE d.id = :id",
    ),
    "capacity.cleared": ("flag_id", _OF_CERTIFICATE.format(subject="capacity_flag", table="capacity_flag")),
    "capacity.flagged": ("flag_id", _OF_CERTIFICATE.format(subject="capacity_flag", table="capacity_flag")),
    "certificate.changed": ("certificate_id", _CERTIFICATE),
    "certificate.held": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.issued": ("certificate_id", _CERTIFICATE),
    "certificate.papers_renewed": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.reinstated": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.released": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.revocation_dropped": ("revocation_id", _REVOCATION),
    "certificate.revocation_opened": ("revocation_id", _REVOCATION),
    "certificate.revoked": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.suspended": ("certificate_id", _CERTIFICATE_IN_USE),
    "certificate.warned": ("certificate_id", _CERTIFICATE),
    "certification.decided": ("case_id", _CASE),
    "certification.noticed": ("case_id", _CASE),
    "certification.submitted": ("case_id", _CASE),
    "charge_dispute.moved": ("charge_dispute_id", _CHARGE_DISPUTE),
    "complaint.decided": ("complaint_id", _COMPLAINT),
    "complaint.filed": ("complaint_id", _COMPLAINT),
    "complaint.stated": ("complaint_id", _COMPLAINT),
    "complaint.withdrawn": ("complaint_id", _COMPLAINT),
    "connected_account.moved": (
        "connected_account_id",
        "SELECT supplier_id, 'connected_account', id FROM connected_account WHERE id = :id",
    ),
    "counting_hold.decided": ("hold_id", _BATCH_OF_HOLD),
    "credit_limit.set": ("organisation_id", _CREDIT_LIMIT),
    "credit_note.issued": ("credit_note_id", _INVOICE.format(subject="credit_note", table="credit_note")),
    "crop_loss.declared": ("crop_loss_id", _CROP_LOSS),
    "dispute.answered": ("dispute_id", _OF_PART.format(subject="dispute", table="dispute")),
    "dispute.decided": ("dispute_id", _OF_PART.format(subject="dispute", table="dispute")),
    "dispute.ended": ("dispute_id", _OF_PART.format(subject="dispute", table="dispute")),
    "dispute.opened": ("dispute_id", _OF_PART.format(subject="dispute", table="dispute")),
    "dispute.proposed": ("dispute_id", _OF_PART.format(subject="dispute", table="dispute")),
    "evaluation.answered": (
        "evaluation_id",
        _PART.format(subject="supplier_order", of="so", join="JOIN evaluation e ON e.supplier_order_id = so.id", by="e"),
    ),
    "evaluation.written": (
        "evaluation_id",
        _PART.format(subject="supplier_order", of="so", join="JOIN evaluation e ON e.supplier_order_id = so.id", by="e"),
    ),
    "export.delivered": (
        "export_id",
        "SELECT s.organisation_id, 'export', d.export_id FROM export_delivery d JOIN export_schedule s ON s.id = d.schedule_id WHERE d.export_id = :id",
    ),
    "external_sale.moved": ("sale_id", _CLAIM),
    "inspection.done": ("inspection_id", _OF_CERTIFICATE.format(subject="inspection", table="inspection")),
    "invoice.credit_due": ("invoice_id", "SELECT seller_id, 'invoice', id FROM invoice WHERE id = :id"),
    "invoice.sent": ("invoice_id", _INVOICE.format(subject="invoice", table="invoice")),
    "objection.decided": ("objection_id", _OBJECTION),
    "loss_share.booked": (
        "loss_share_id",
        "SELECT so.supplier_id, 'supplier_order', so.id FROM loss_share l JOIN supplier_order so ON so.id = l.supplier_order_id WHERE l.id = :id",
    ),
    "online_payment.moved": ("online_payment_id", _ONLINE_PAYMENT),
    "organisation.approved": ("organisation_id", _ORGANISATION),
    "organisation.rejected": ("organisation_id", _ORGANISATION),
    "outlet.closed": ("outlet_id", _OUTLET.format(subject="outlet")),
    "outlet.refused": ("outlet_id", _OUTLET.format(subject="outlet")),
    "outlet.verified": ("outlet_id", _OUTLET.format(subject="outlet")),
    "outlets.silent": ("outlet_id", _OUTLET.format(subject="silent_outlets")),
    "paper.uploaded": (
        "paper_id",
        _PART.format(subject="supplier_order", of="so", join="JOIN order_paper p ON p.supplier_order_id = so.id", by="p"),
    ),
    "payment.extended": ("purchase_order_id", _PARTS),
    "payment.arrived": ("payment_id", _PAYMENT),
    "payment.recorded": ("payment_id", _PAYMENT),
    "payment.undone": ("payment_id", _PAYMENT),
    "payout.ended": ("payout_id", _PAYOUT),
    "payout.released": ("payout_id", _PAYOUT),
    "payout_account.moved": ("account_id", "SELECT supplier_id, 'payout_account', id FROM payout_account WHERE id = :id"),
    "pledge.cancelled": ("pledge_id", _PLEDGE),
    "pledge.opened": ("pledge_id", _PLEDGE),
    "purchase_order.amended": ("purchase_order_id", _PARTS),
    "purchase_order.cancelled": ("purchase_order_id", f"{_PARTS} AND status = 'cancelled'"),
    "purchase_order.placed": ("purchase_order_id", _PARTS),
    "purchase_order.reassigned": ("purchase_order_id", _PARTS),
    "purchase_proof.issued": ("proof_id", _PROOF),
    "purchase_proof.revoked": ("proof_id", _PROOF),
    "purchase_request.ordered": ("purchase_request_id", _REQUEST),
    "purchase_request.rejected": ("purchase_request_id", _REQUEST),
    "purchase_request.returned": ("purchase_request_id", _REQUEST),
    "purchase_request.stuck": ("purchase_request_id", _REQUEST),
    "purchase_request.waiting": ("purchase_request_id", _REQUEST),
    "purchase_request.withdrawn": ("purchase_request_id", _REQUEST),
    "quotation_request.answered": ("quotation_request_id", _SOURCING),
    "quotation_request.asked": ("quotation_request_id", _SOURCING_BUYER),
    "quotation_request.awarded": ("quotation_request_id", _SOURCING_BUYER),
    "quotation_request.cancelled": ("quotation_request_id", _SOURCING),
    "quotation_request.closed": ("quotation_request_id", _SOURCING),
    "quotation_request.decided": ("quotation_request_id", _SOURCING_QUOTED),
    "quotation_request.extended": ("quotation_request_id", _SOURCING),
    "quotation_request.published": ("quotation_request_id", _SOURCING),
    "refund.moved": ("refund_id", _REFUND),
    "report.reviewed": ("report_id", _REPORT),
    "return.moved": ("return_id", _OF_PART.format(subject="goods_return", table="goods_return")),
    "sales_batch.held": ("batch_id", _BATCH),
    "settlement.answered": ("settlement_id", "SELECT supplier_id, 'settlement', id FROM settlement WHERE id = :id"),
    "settlement_run.made": ("run_id", "SELECT supplier_id, 'settlement', id FROM settlement WHERE run_id = :id"),
    "shipment.corrected": ("shipment_id", _PART.format(subject="shipment", of="s", join=_SHIPMENT, by="s")),
    "shipment.hold_changed": ("shipment_id", _PART.format(subject="shipment", of="s", join=_SHIPMENT, by="s")),
    "shipment.sent": ("shipment_id", _PART.format(subject="shipment", of="s", join=_SHIPMENT, by="s")),
    "supplier_order.confirmed": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.freight_asked": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.freight_set": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.lapsed": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.rejected": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.to_deliver": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "supplier_order.unpaid": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "tax_invoice.moved": ("tax_invoice_id", _INVOICE.format(subject="tax_invoice", table="tax_invoice")),
    "voucher.redeemed": ("voucher_id", _OF_PART.format(subject="voucher", table="voucher")),
    "vouchers.expired": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
    "vouchers.issued": ("supplier_order_id", _PART.format(subject="supplier_order", of="so", join="", by="so")),
}
