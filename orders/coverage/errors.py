"""What a list of villages, or a station, may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class VillagesRefused(Invalid):
    code = "villages_refused"
    zh = "未导入：表格有 {count} 处错误"
    en = "Nothing was taken over: the spreadsheet has {count} fault(s)"


class StationRefused(Invalid):
    code = "station_refused"
    zh = "站点信息有 {count} 处错误"
    en = "The station has {count} fault(s)"


class StationClosed(Conflict):
    code = "station_closed"
    zh = "该站点已停用"
    en = "This station is closed"


class StationNameTaken(Conflict):
    code = "station_name_taken"
    zh = "该地已有同名站点"
    en = "There is a station of this name in this place already"


class NoEvidenceFile(Conflict):
    code = "no_evidence_file"
    zh = "该站点没有佐证文件"
    en = "No paper was uploaded for this station"


CONSTRAINTS["uq_service_station_region_code_name"] = StationNameTaken
