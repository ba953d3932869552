"""What each kind of notification says, in both languages. ``{placeholders}`` are filled from the notification's data."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shop.core.errors import Language

#: kind -> (Chinese, English)
TEXTS: Mapping[str, tuple[str, str]] = {
    "acceptance.automatic": (
        "订单 {number} 的到货逾期未验收，已视为验收合格",
        "Nobody answered a delivery of order {number} in time; it was accepted",
    ),
    "acceptance.recorded": ("订单 {number} 的到货已验收", "A delivery of order {number} was accepted"),
    "acceptance_correction.agreed": ("对方已同意验收更正 {number}", "Correction {number} of an acceptance was agreed to"),
    "acceptance_correction.declined": ("对方不同意验收更正 {number}", "Correction {number} of an acceptance was declined"),
    "acceptance_correction.proposed": (
        "对方提出验收更正 {number}，待您确认",
        "Correction {number} of an acceptance awaits your answer",
    ),
    "acceptance_correction.withdrawn": ("验收更正 {number} 已撤回", "Correction {number} of an acceptance was taken back"),
    "agreement.change_accepted": ("对方已同意协议 {number} 的变更", "The other side accepted the change of agreement {number}"),
    "agreement.change_declined": ("对方未同意协议 {number} 的变更", "The other side declined the change of agreement {number}"),
    "agreement.change_proposed": (
        "对方提出变更协议 {number}，请答复",
        "The other side proposes to change agreement {number}; answer it",
    ),
    "agreement.change_withdrawn": ("对方已撤回协议 {number} 的变更", "The other side took the change of agreement {number} back"),
    "agreement.declined": ("供应单位未接受协议 {number}：{reason}", "The supplier declined agreement {number}: {reason}"),
    "agreement.instalments_late": (
        "协议 {number} 于 {due_on} 应到的 {count} 批供货尚未完成",
        "{count} instalment(s) of agreement {number} that were due on {due_on} are late",
    ),
    "agreement.made": ("协议 {number}（{title}）已由双方签署", "Agreement {number} ({title}) was signed by both sides"),
    "agreement.proposed": ("有协议 {number}（{title}）待签署", "Agreement {number} ({title}) awaits your signature"),
    "agreement.renewal_proposed": (
        "对方提出续签协议 {number}，请答复",
        "The other side proposes to renew agreement {number}; answer it",
    ),
    "agreement.signed": (
        "对方已签署协议 {number}（{title}），请签署",
        "The other side signed agreement {number} ({title}); sign it too",
    ),
    "agreement.termination_proposed": (
        "对方提出提前终止协议 {number}，请答复",
        "The other side proposes to end agreement {number} early; answer it",
    ),
    "agreement.withdrawn": ("采购单位已撤回协议 {number}：{reason}", "The buyer withdrew agreement {number}: {reason}"),
    "amendment.accepted": ("订单 {number} 的变更已获同意", "The change of order {number} was agreed to"),
    "amendment.expired": ("订单 {number} 的变更逾期未答复，已失效", "Nobody answered the change of order {number}; it has lapsed"),
    "amendment.proposed": (
        "对方提出变更订单 {number}，请于 {until} 前答复：{reason}",
        "A change of order {number} was proposed; please answer until {until}: {reason}",
    ),
    "amendment.refused": ("订单 {number} 的变更未获同意：{reason}", "The change of order {number} was refused: {reason}"),
    "amendment.withdrawn": ("订单 {number} 的变更已撤回", "The proposed change of order {number} was withdrawn"),
    "api_key.ending": (
        "系统“{system}”的密钥（{name}）将于 {ends} 到期，请及时更换",
        "The key “{name}” of {system} ends on {ends}; make a new one in time",
    ),
    "basket_proposal.failed": (
        "承诺 {number} 的采购方案未能算出，请稍后重试",
        "The basket for pledge {number} could not be worked out; ask again later",
    ),
    "basket_proposal.infeasible": (
        "承诺 {number} 的采购方案无法满足全部条件，请查看原因",
        "No basket for pledge {number} meets everything that was asked; see what stands in the way",
    ),
    "basket_proposal.ready": ("承诺 {number} 的采购方案已生成", "The basket for pledge {number} is ready"),
    "blacklist.lifted": ("本单位的黑名单已解除：{reason}", "Your organisation may apply again: {reason}"),
    "blacklist.listed": ("本单位被列入黑名单至 {until}：{reason}", "Your organisation is barred until {until}: {reason}"),
    "budget_unit_application.decided": (
        "订单 {number} 变更预算单位的申请已有结果",
        "The application for another budget unit of order {number} was decided",
    ),
    "budget_unit_application.filed": (
        "订单 {number} 申请变更预算单位，请处理",
        "Another budget unit is asked for order {number}; decide on it",
    ),
    "call_off.drafted": (
        "协议 {number} 于 {due_on} 送 {place} 的订单已拟好，请确认",
        "The order under agreement {number} for {place} on {due_on} is drafted; confirm it",
    ),
    "call_off.stuck": (
        "协议 {number} 于 {due_on} 送 {place} 的订单未能自动提交（{problem}），请处理",
        "The order under agreement {number} for {place} on {due_on} could not be placed ({problem}); see to it",
    ),
    "capacity.cleared": (
        "证书 {number} 的产能预警已解除：{reason}",
        "The capacity flag of certificate {number} was cleared: {reason}",
    ),
    "capacity.explained": (
        "供应商已就证书 {number} 的产能预警作出说明",
        "The supplier explained the capacity flag of certificate {number}",
    ),
    "capacity.flagged": (
        "证书 {number}（{product}）{year} 年的销量超过认定产能，请说明",
        "More of {product} was sold in {year} than certificate {number} was given for; an explanation is needed",
    ),
    "catalogue_batch.published": (
        "产品目录 {number}（{title}）已发布，含本区县 {count} 个产品",
        "Batch {number} ({title}) was published with {count} products of your county",
    ),
    "catalogue_batch.withdrawn": (
        "产品目录 {number}（{title}）已撤回，涉及本区县 {count} 个产品",
        "Batch {number} ({title}) was withdrawn; {count} products of your county are concerned",
    ),
    "certificate.changed": ("证书 {number} 的变更已生效", "The change of certificate {number} has taken effect"),
    "certificate.ending": (
        "证书 {number}（{product}）将于 {ends} 到期，请及时申请续期",
        "Certificate {number} for {product} ends on {ends}; apply for its renewal in time",
    ),
    "certificate.expired": ("证书 {number}（{product}）已于 {ends} 到期", "Certificate {number} for {product} ended on {ends}"),
    "certificate.held": ("证书 {number} 已暂扣：{reason}", "Certificate {number} is held: {reason}"),
    "certificate.issued": ("产品“{product}”已通过认定，证书编号 {number}", "“{product}” is certified; certificate {number}"),
    "certificate.papers_ending": (
        "证书 {number}（{product}）的证照将于 {ends} 到期，届时证书自动停用，请提交更新后的证照",
        "A paper behind certificate {number} for {product} ends on {ends}, and the certificate with it; bring a newer one",
    ),
    "certificate.papers_expired": (
        "证书 {number}（{product}）的证照已于 {ends} 到期，证书停用",
        "A paper behind certificate {number} for {product} ended on {ends}; the certificate does not hold",
    ),
    "certificate.reinstated": ("证书 {number} 已恢复", "Certificate {number} is in force again"),
    "certificate.released": ("证书 {number} 的暂扣已解除", "Certificate {number} is no longer held"),
    "certificate.revocation_dropped": (
        "证书 {number} 的撤销程序已终止：{reason}",
        "The revocation of certificate {number} was dropped: {reason}",
    ),
    "certificate.revocation_opened": (
        "证书 {number} 已立案撤销：{reason}，可在 {due} 前陈述申辩",
        "The revocation of certificate {number} was opened: {reason}; you may make a statement until {due}",
    ),
    "certificate.revocation_ripe": (
        "证书 {number} 的撤销程序可以作出决定",
        "The revocation of certificate {number} can be decided",
    ),
    "certificate.revocation_stated": (
        "供应商已就证书 {number} 的撤销作出陈述",
        "The supplier made a statement on the revocation of certificate {number}",
    ),
    "certificate.revoked": ("证书 {number} 已撤销：{reason}", "Certificate {number} was revoked: {reason}"),
    "certificate.statement_due": (
        "就证书 {number} 撤销的陈述申辩期至 {due} 届满",
        "The time for a statement on the revocation of certificate {number} ends on {due}",
    ),
    "certificate.suspended": ("证书 {number} 已暂停：{reason}", "Certificate {number} was suspended: {reason}"),
    "certificate.warned": ("证书 {number} 被警示：{reason}", "Certificate {number} was given a warning: {reason}"),
    "certification.appealed": (
        "产品“{product}”的认定申请有申诉待处理",
        "An appeal on the application for “{product}” awaits a decision",
    ),
    "certification.approved": ("产品“{product}”的认定申请已通过", "The application for “{product}” was approved"),
    "certification.certified": ("产品“{product}”已通过认定", "“{product}” is certified"),
    "certification.correction_due": (
        "产品“{product}”的补正期限为 {due}，请尽快补正并重新提交",
        "The correction of the application for “{product}” is due by {due}",
    ),
    "certification.correction_overdue": (
        "产品“{product}”的补正期限 {due} 已过，请尽快补正并重新提交或撤回申请",
        "The correction of the application for “{product}” was due by {due}; hand it in again, or take it back",
    ),
    "certification.decided": (
        "产品“{product}”的认定申请已有结果：{result}",
        "The application for “{product}” was decided: {result}",
    ),
    "certification.due": (
        "有 {soon} 件认定申请即将到期，{overdue} 件已超期",
        "{soon} applications are due soon, {overdue} are overdue",
    ),
    "certification.notice_over": (
        "产品“{product}”的公示已期满，可以作出决定",
        "The public notice on “{product}” is over; it can be decided",
    ),
    "certification.noticed": ("产品“{product}”的认定公示已开始", "The public notice on “{product}” has begun"),
    "certification.rejected": ("产品“{product}”未通过认定：{reason}", "“{product}” was not certified: {reason}"),
    "certification.returned": (
        "产品“{product}”的认定申请已退回：{reason}",
        "The application for “{product}” was returned: {reason}",
    ),
    "certification.submitted": ("产品“{product}”的认定申请待审核", "An application for “{product}” awaits review"),
    "complaint.dismissed": (
        "关于证书 {number} 的投诉经核查不属实",
        "The complaint about certificate {number} was found not to be justified",
    ),
    "complaint.filed": (
        "收到关于证书 {number} 的投诉，须于 {due_on} 前作出处理",
        "A complaint about certificate {number} is to be decided by {due_on}",
    ),
    "complaint.received": (
        "贵单位证书 {number} 被投诉，请于 {due_on} 前说明情况",
        "There is a complaint about your certificate {number}; please make a statement by {due_on}",
    ),
    "complaint.stated": (
        "供应商已就关于证书 {number} 的投诉作出说明",
        "The supplier made its statement on the complaint about certificate {number}",
    ),
    "complaint.upheld": ("关于证书 {number} 的投诉经核查属实", "The complaint about certificate {number} was upheld"),
    "complaint.withdrawn": ("关于证书 {number} 的投诉已撤回", "The complaint about certificate {number} was withdrawn"),
    "complaints.due": ("有 {soon} 件投诉即将到期，{overdue} 件已超期", "{soon} complaints are due soon, {overdue} are overdue"),
    "crop_loss.declared": (
        "供应单位申报“{product}” {month} 减产：原计划 {planned} 公斤，减少 {cut} 公斤，仍供 {left} 公斤",
        "A loss of {product} in {month} was declared: of {planned} kg planned for you {cut} kg are cut, {left} kg still come",
    ),
    "dispute.answer_due": ("争议 {number} 请于 {due_on} 前答复", "Dispute {number} is to be answered by {due_on}"),
    "dispute.answered": ("对方已答复争议 {number}", "The other side answered dispute {number}"),
    "dispute.decided": ("争议 {number} 已裁定，退款 {refund} 元", "Dispute {number} was decided; {refund} yuan are owed"),
    "dispute.decision_due": ("争议 {number} 须于 {due_on} 前裁定", "Dispute {number} is to be decided by {due_on}"),
    "dispute.opened": ("收到争议 {number}，请于 {due_on} 前答复", "Dispute {number} was opened; please answer by {due_on}"),
    "dispute.overdue": ("争议 {number} 的裁定期限 {due_on} 已过", "Dispute {number} was to be decided by {due_on}"),
    "dispute.proposed": ("争议 {number} 有调解方案，请确认", "A settlement of dispute {number} was proposed"),
    "dispute.quality": (
        "争议 {number} 认定证书 {certificate} 的产品有质量问题，已列入检查",
        "Dispute {number} was decided about the quality of certificate {certificate}; a check was opened",
    ),
    "dispute.settled": ("争议 {number} 已调解，退款 {refund} 元", "Dispute {number} was settled; {refund} yuan are owed"),
    "dispute.unanswered": (
        "争议 {number} 逾期（{due_on}）未答复，可以裁定",
        "Dispute {number} was not answered by {due_on} and can be decided",
    ),
    "dispute.withdrawn": ("争议 {number} 已撤回", "Dispute {number} was taken back"),
    "evaluation.answered": ("供应商已回复贵单位对订单 {number} 的评价", "The supplier answered your evaluation of order {number}"),
    "evaluation.written": ("采购单位评价了订单 {number}", "The buyer rated order {number}"),
    "inspection.failed": ("证书 {number}（{product}）检查不合格", "A check of {product}, certificate {number}, failed"),
    "inspection.passed": ("证书 {number}（{product}）检查合格", "A check of {product}, certificate {number}, was passed"),
    "inspections.due": ("有 {soon} 项检查即将到期，{overdue} 项已超期", "{soon} checks are due soon, {overdue} are overdue"),
    "objection.dismissed": (
        "产品“{product}”的公示异议经核查不成立",
        "An objection against the notice on “{product}” was dismissed",
    ),
    "objection.received": (
        "产品“{product}”的公示收到异议，须于 {due_on} 前答复",
        "There is an objection against the notice on “{product}”; the answer is due by {due_on}",
    ),
    "objection.upheld": (
        "产品“{product}”的公示异议成立，申请将被退回或不予认定",
        "An objection against the notice on “{product}” was upheld; the application will be returned or rejected",
    ),
    "objections.due": ("有 {soon} 件公示异议即将到期，{overdue} 件已超期", "{soon} objections are due soon, {overdue} are overdue"),
    "open_orders.held": (
        "证书 {number} 因销售超出认定产能被暂扣，涉及 {count} 个未完成订单，采购单位须选择继续交付或取消，见 {where}",
        "Certificate {number} is held because more was sold than it was given for; {count} open orders need their buyers' choice: {where}",
    ),
    "open_orders.papers_expired": (
        "证书 {number} 的证照已过期，涉及 {count} 个未完成订单，采购单位须选择继续交付或取消，见 {where}",
        "A paper behind certificate {number} has expired; {count} open orders need their buyers' choice: {where}",
    ),
    "open_orders.papers_renewed": (
        "证书 {number} 的证照已更新，{count} 个未完成订单可继续履行，见 {where}",
        "The papers behind certificate {number} were renewed; {count} open orders go on: {where}",
    ),
    "open_orders.reinstated": (
        "证书 {number} 已恢复，{count} 个未完成订单可继续履行，见 {where}",
        "Certificate {number} is in force again; {count} open orders go on: {where}",
    ),
    "open_orders.released": (
        "证书 {number} 的暂扣已解除，涉及 {count} 个未完成订单，见 {where}",
        "Certificate {number} is no longer held; {count} open orders are concerned: {where}",
    ),
    "open_orders.revoked": (
        "证书 {number} 已撤销，涉及 {count} 个未完成订单，采购单位须选择处理方式，见 {where}",
        "Certificate {number} was revoked; {count} open orders need their buyers' choice: {where}",
    ),
    "open_orders.suspended": (
        "证书 {number} 已暂停，涉及 {count} 个未完成订单，采购单位须选择继续交付或取消，见 {where}",
        "Certificate {number} was suspended; {count} open orders need their buyers' choice: {where}",
    ),
    "open_orders.to_deliver": (
        "采购单位选择继续交付订单 {number}（证书 {certificate}）",
        "The buyer wants order {number} delivered in spite of what stands against certificate {certificate}",
    ),
    "organisation.approved": ("单位“{name}”的注册已通过审核", "The registration of “{name}” was approved"),
    "organisation.registered": ("新单位“{name}”等待审核", "The registration of “{name}” awaits review"),
    "organisation.rejected": ("单位“{name}”的注册被驳回：{reason}", "The registration of “{name}” was rejected: {reason}"),
    "organisation.resubmitted": ("单位“{name}”已修改并重新提交注册", "“{name}” corrected its registration and submitted it again"),
    "paper.uploaded": ("订单 {number} 有新上传的文件", "A paper was uploaded for order {number}"),
    "payment.recorded": ("订单 {number} 的付款已登记", "A payment for order {number} was recorded"),
    "pledge.ending": (
        "承诺 {number} 将于 {ends} 到期，已验收 {percent}%",
        "Pledge {number} ends on {ends}; {percent} % of it was accepted so far",
    ),
    "pledge.opened": (
        "“{organisation}”公开承诺采购本区县产品，编号 {number}",
        "“{organisation}” pledged to buy products of your county: {number}",
    ),
    "price_check.above": (
        "证书 {number}（{product}）的价格比同类产品高 {percent}%",
        "The price of {product}, certificate {number}, lies {percent} % above that of comparable goods",
    ),
    "purchase_order.cancelled": ("订单 {number} 已取消", "Order {number} was cancelled"),
    "purchase_order.placed": ("收到新订单 {number}", "You have a new order, {number}"),
    "purchase_order.reassigned": (
        "订单 {number} 的采购单位已变更，开票时请注意",
        "Order {number} belongs to another unit of the buyer now; mind it on the invoice",
    ),
    "purchase_proof.issued": (
        "“{organisation}”的承诺 {pledge} 已出具购买证明 {number}",
        "Proof {number} was issued for pledge {pledge} of “{organisation}”",
    ),
    "purchase_request.ordered": ("采购申请 {number} 已审批通过并下单", "Request {number} was approved and ordered"),
    "purchase_request.rejected": ("采购申请 {number} 未获批准", "Request {number} was refused"),
    "purchase_request.returned": ("采购申请 {number} 已退回修改", "Request {number} was returned to be changed"),
    "purchase_request.stuck": (
        "采购申请 {number} 已批准但未能下单，请查看原因",
        "Request {number} was approved but could not be ordered; see why",
    ),
    "purchase_request.waiting": ("采购申请 {number} 待审批：{step}", "Request {number} waits for approval: {step}"),
    "quality_signal.raised": (
        "证书 {number}（{product}）近期收到 {buyers} 个采购单位的 {ratings} 次低分评价",
        "{product}, certificate {number}, was rated low {ratings} times by {buyers} buyers of late",
    ),
    "quotation.lost": (
        "询价 {number}（{title}）已定标，贵单位未中标",
        "Request {number} ({title}) was decided; nothing of it went to you",
    ),
    "quotation.won": (
        "询价 {number}（{title}）有 {lines} 行由贵单位中标",
        "{lines} line(s) of request {number} ({title}) were awarded to you",
    ),
    "quotation_request.answered": ("询价 {number}（{title}）有新的答复", "A question on request {number} ({title}) was answered"),
    "quotation_request.asked": ("询价 {number}（{title}）有新的提问", "There is a new question on your request {number} ({title})"),
    "quotation_request.cancelled": (
        "询价 {number}（{title}）已取消：{reason}",
        "Request {number} ({title}) was cancelled: {reason}",
    ),
    "quotation_request.closed": (
        "询价 {number}（{title}）已截止，收到 {count} 份报价，可以比价定标",
        "Request {number} ({title}) is closed with {count} quotation(s); they can be compared and awarded",
    ),
    "quotation_request.extended": (
        "询价 {number}（{title}）的报价截止时间推迟至 {closes_at}：{reason}",
        "Quotations for request {number} ({title}) are taken until {closes_at}: {reason}",
    ),
    "quotation_request.failed": (
        "询价 {number}（{title}）已截止，无人报价，可复制后重新发布",
        "Request {number} ({title}) is closed without a quotation; it can be copied and sent out again",
    ),
    "quotation_request.published": (
        "收到询价 {number}（{title}），请于 {closes_at} 前报价",
        "You are asked for a quotation: {number} ({title}), until {closes_at}",
    ),
    "reserved_share.accepted": (
        "本单位 {year} 年预留份额已通过审核：{reserved} 元",
        "Your reserved share of {year} was accepted: {reserved} yuan",
    ),
    "reserved_share.behind": (
        "本单位 {year} 年预留份额已完成 {rate}%，低于时间进度，尚差 {missing} 元",
        "Your reserved share of {year} is {rate} % done, less than the time gone by; {missing} yuan are missing",
    ),
    "reserved_share.due": ("请于 {due} 前填报本单位 {year} 年预留份额", "Please file your reserved share of {year} by {due}"),
    "reserved_share.filed": (
        "“{unit}”报送了 {year} 年预留份额，请审核",
        "“{unit}” filed its reserved share of {year}; it awaits your review",
    ),
    "reserved_share.overdue": (
        "本单位 {year} 年预留份额应于 {due} 前填报，现已逾期",
        "Your reserved share of {year} was to be filed by {due}",
    ),
    "reserved_share.returned": ("本单位 {year} 年预留份额被退回：{reason}", "Your reserved share of {year} was returned: {reason}"),
    "return.approved": ("退换货 {number} 已同意，请寄回", "Return {number} was approved; send the goods back"),
    "return.cancelled": ("退换货 {number} 已取消", "Return {number} was cancelled"),
    "return.closed": ("退换货 {number} 已完成，退款 {refund} 元", "Return {number} is closed; {refund} yuan are refunded"),
    "return.received": ("退换货 {number} 已由供应商确认，待处理", "The supplier has dealt with the goods of return {number}"),
    "return.refused": ("退换货 {number} 被拒绝，可提出争议", "Return {number} was refused; you may open a dispute"),
    "return.replaced": ("退换货 {number} 的换货已发出", "The goods in exchange of return {number} were sent"),
    "return.requested": ("收到退换货申请 {number}", "Return {number} awaits your answer"),
    "return.sent": ("退换货 {number} 的货物已寄回", "The goods of return {number} are on their way back"),
    "shipment.accept_due": (
        "订单 {number} 的到货请于 {until} 前验收，逾期视为验收合格",
        "Please answer a delivery of order {number} until {until}; after that it counts as accepted",
    ),
    "shipment.corrected": ("订单 {number} 的物流信息已更正", "The transport data of a delivery of order {number} were corrected"),
    "shipment.held": ("采购单位对订单 {number} 的到货提出异议：{reason}", "The buyer holds a delivery of order {number}: {reason}"),
    "shipment.let_go": ("采购单位已撤回对订单 {number} 到货的异议", "The buyer no longer holds a delivery of order {number}"),
    "shipment.sent": ("订单 {number} 已发货", "Order {number} was shipped"),
    "shipment.short": (
        "订单 {number} 按实际重量发货，不足部分不再发货",
        "Order {number} was delivered by a lower weight; the rest will not come",
    ),
    "supplier_order.confirm_due": (
        "订单 {number} 须在一天内确认，逾期自动释放",
        "Order {number} is released unless you confirm it within a day",
    ),
    "supplier_order.confirmed": ("供应商已确认订单 {number}", "The supplier confirmed order {number}"),
    "supplier_order.freight_set": (
        "供应商将订单 {number} 的运费定为 {freight} 元",
        "The supplier set the freight of order {number} to {freight} yuan",
    ),
    "supplier_order.lapsed": (
        "订单 {number} 因供应商未在期限内确认而自动释放",
        "Order {number} was not confirmed in time and has been released",
    ),
    "supplier_order.rejected": ("供应商已拒绝订单 {number}", "The supplier rejected order {number}"),
    "voucher.redeemed": ("订单 {number} 的服务券 {voucher} 已核销", "Voucher {voucher} of order {number} was redeemed"),
    "vouchers.expired": (
        "订单 {number} 有 {count} 张服务券过期未使用",
        "{count} vouchers of order {number} were not redeemed in time",
    ),
    "vouchers.issued": ("订单 {number} 的 {count} 张服务券已发出", "{count} vouchers of order {number} were issued"),
    "webhook_endpoint.disabled": (
        "回调地址 {url} 已停用：对方返回 410，或连续三天无法送达；恢复后请重新启用并补发",
        "The endpoint {url} was disabled: it answered 410, or nothing got through for three days; enable it again, then replay",
    ),
}


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def told(kind: str, data: Mapping[str, Any], language: Language) -> str:
    """The sentence of a notification. A kind without a text shows its code, so a message is never lost for want of words."""
    texts = TEXTS.get(kind)
    if texts is None:
        return kind
    known = {name: value for name, value in data.items() if value is not None}
    return texts[0 if language == "zh" else 1].format_map(_Blank(known))


#: Where a person reads more about a subject; about any other, in the inbox.
PLACES: Mapping[str, str] = {
    "acceptance_correction": "/v1/acceptance-corrections/{id}",
    "agreement": "/v1/agreements/{id}",
    "amendment": "/v1/amendments/{id}",
    "basket_proposal": "/v1/basket-proposals/{id}",
    "budget_unit_application": "/v1/budget-unit-applications/{id}",
    "call_off_draft": "/v1/call-off-drafts/{id}",
    "capacity_flag": "/v1/capacity-flags",
    "catalogue_batch": "/v1/catalogue-batches/{id}",
    "certificate": "/v1/certificates/{id}",
    "certification_case": "/v1/certification-cases/{id}",
    "certification_due": "/v1/certification-cases?mine=true&sort=due",
    "complaint": "/v1/complaints/{id}",
    "complaints_due": "/v1/complaints?overdue=true",
    "crop_loss": "/v1/crop-losses/{id}",
    "dispute": "/v1/disputes/{id}",
    "goods_return": "/v1/returns/{id}",
    "inspection": "/v1/inspections/{id}",
    "inspections_due": "/v1/inspections?status=open",
    "objection": "/v1/objections/{id}",
    "objections_due": "/v1/objections",
    "open_orders": "/v1/certificates/{id}/open-orders",
    "organisation": "/v1/organisations/{id}",
    "pledge": "/v1/pledges/{id}",
    "purchase_request": "/v1/purchase-requests/{id}",
    "quality_signal": "/v1/quality-signals?open=true",
    "quotation_request": "/v1/quotation-requests/{id}",
    "reserved_share": "/v1/reserved-shares/{id}",
    "reserved_shares": "/v1/reserved-shares?year={id}&status=filed",
    "supplier_order": "/v1/supplier-orders/{id}",
    "webhook_endpoint": "/v1/webhook-endpoints/{id}",
}
INBOX = "/v1/notifications"
PREFERENCES = "/v1/me/notification-preferences"

#: What a mail says below its sentence, in Chinese and English.
_MAIL = (
    "{sentence}\n\n查看：{link}\n\n-- \n消费帮扶交易平台自动发送，请勿回复。\n如不再需要此类邮件，请在 {preferences} 关闭“{kind}”的邮件通知。\n",
    "{sentence}\n\nSee {link}\n\n-- \nSent by the consumption assistance marketplace; nobody reads answers to this address.\n"
    "To get no more mails of this kind, switch off the mails of “{kind}” at {preferences}\n",
)


def mail_body(sentence: str, kind: str, subject_type: str, subject_id: int, language: Language, public_url: str) -> str:
    """The text of a mail: the sentence, where to look, how to have no more of them."""
    base = public_url.rstrip("/")
    return _MAIL[0 if language == "zh" else 1].format(
        sentence=sentence,
        link=base + PLACES.get(subject_type, INBOX).format(id=subject_id),
        preferences=base + PREFERENCES,
        kind=kind,
    )


def wait_before_retry(attempts: int) -> timedelta:
    """How long to wait after the ``attempts``-th failure: one minute, then twice as long each time, at most an hour."""
    return min(timedelta(minutes=2 ** (min(attempts, 10) - 1)), timedelta(hours=1))
