"""What reports of sales may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Invalid


class BatchReused(Conflict):
    code = "batch_reused"
    zh = "批次编号 {batch_id} 已用于内容不同的批次"
    en = "Batch id {batch_id} was used for a batch with other content"


class HashMismatch(Invalid):
    code = "hash_mismatch"
    zh = "批次的散列值与内容不符"
    en = "The hash is not that of the batch's content"


class CorrectsItself(Invalid):
    code = "corrects_itself"
    zh = "更正批次不能指向自身，请填写所更正批次的编号"
    en = "A batch does not correct itself: name the batch whose place it takes"


class SequenceFarAhead(Invalid):
    code = "sequence_far_ahead"
    zh = "序号超出该设备的链末端（{last}）{most} 以上，之前的批次不可能补齐"
    en = "The place lies more than {most} after the end of the device's chain ({last}): what is missing before it will not come"


class LineTwice(Invalid):
    code = "line_twice"
    zh = "同一批次内行编号重复"
    en = "A line's id stands in the batch twice"


class RefundsNoSale(Invalid):
    code = "refunds_no_sale"
    zh = "退货的原流水号须为一笔销售，不能是本行或另一笔退货"
    en = "What is given back of is a sale, not the line itself or another refund"


class TooManyLines(Invalid):
    code = "too_many_lines"
    zh = "一次最多报送 {limit} 行"
    en = "At most {limit} lines are taken at once"


class NotFromFile(Conflict):
    code = "not_from_file"
    zh = "只能撤回文件报送的批次；设备报送的批次由设备发更正批次"
    en = "Only batches of files are taken back; what a device sent is corrected by a batch of it"


class TakenBackBefore(DoneBefore):
    code = "taken_back_before"
    zh = "该批次已撤回"
    en = "The batch was taken back before"


class TakeBackHeld(Conflict):
    code = "take_back_held"
    zh = "该批次的撤回待他人裁定"
    en = "That it is taken back waits for a second person"


class ReplacedBefore(Conflict):
    code = "replaced_before"
    zh = "该批次已由设备的更正批次取代，无须撤回"
    en = "A device's batch stands in its place: there is nothing to take back"


class LeftOut(Conflict):
    code = "left_out"
    zh = "该批次已裁定不计入，无须撤回"
    en = "An officer left the batch out of the figures: there is nothing to take back"


class FileSeen(DoneBefore):
    """``batch_ids`` are those that :func:`~orders.outlet_sales.actions.importing.take_back` takes."""

    code = "sales_file_seen"
    zh = "该文件已于 {imported_at} 导入过"
    en = "This file was imported before, at {imported_at}"


CONSTRAINTS["uq_sales_batch_outlet_id_batch_id"] = BatchReused
