"""Who may sign in to the demo. The seed makes these users; the launcher shows them."""

PASSWORD = "demo-2026"  # noqa: S105  known to everybody: demo data only

#: (role in Chinese and English, user name)
_USERS = [
    ("系统管理员 · administrator", "admin"),
    ("市级主管部门 · city officer", "city"),
    ("市级通报发布 · city officer who publishes", "publisher"),
    ("区县主管部门 · county officer", "county"),
    ("区县会审部门 · department officer", "department"),
    ("乡镇主管部门 · township officer", "township"),
    ("市级监测统计人员 · monitor", "monitor"),
    ("区县监测统计人员 · monitor of a county", "monitor-county"),
    ("平台结算 · platform's cashier", "cashier"),
    ("平台结算复核 · platform's treasurer", "treasurer"),
    ("供应商 · supplier", "supplier"),
    ("供应商员工 · supplier's staff", "staff"),
    ("采购人 · buyer", "buyer"),
    ("采购单位管理员 · buyer's administrator", "unit"),
    ("采购审批人 · approver", "approver"),
    ("财务人员 · finance", "finance"),
    ("采购查看人员 · viewer", "viewer"),
    ("民营企业 · private firm", "firm"),
    ("销售网点经营者 · outlet operator", "outlet"),
]


def demo_logins() -> list[tuple[str, str, str]]:
    """(role, user name, password) of each demo user."""
    return [(role, username, PASSWORD) for role, username in _USERS]
