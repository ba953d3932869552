"""Refusals of organisations, users and sign-in."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid, Problem


class InvalidCredentials(Problem):
    """Wrong name, wrong password, unknown, ended or already used refresh token: one answer for all."""

    status, code = 401, "invalid_credentials"
    zh, en = "用户名、密码或令牌不正确", "The username, password or token is not right"


class InvalidKey(Problem):
    """Of a device or of a system: unknown, ended or revoked, or of somebody who is no longer active."""

    status, code = 401, "invalid_key"
    zh, en = "密钥无效或已失效、已停用，请更换密钥", "The key is not valid, or no longer: it ended or was revoked; use another one"


class NotWithApiKey(Forbidden):
    code = "not_with_api_key"
    zh, en = "此操作需要登录，不能使用 API 密钥", "This needs a signed-in person; an API key is not enough"


class AddressNotAllowed(Forbidden):
    """The key is right, but not from here."""

    code = "address_not_allowed"
    zh, en = "该 API 密钥不允许从此网络地址使用", "This API key may not be used from your network address"


class UsccTaken(Conflict):
    code = "uscc_taken"
    zh, en = "该统一社会信用代码已注册", "An organisation with this credit code is registered already"


class UsernameTaken(Conflict):
    code = "username_taken"
    zh, en = "该用户名已被使用", "This username is taken"


class UnknownRegion(Invalid):
    code = "unknown_region"
    zh, en = "行政区划代码不存在或已停用", "The region code does not exist or is no longer in force"


class UnknownSupporter(Invalid):
    code = "unknown_supporter"
    zh, en = "帮扶主体不存在", "The supporting body does not exist"


class KindMayNotSupply(Invalid):
    code = "kind_may_not_supply"
    zh, en = "该类单位不能注册为供应商", "An organisation of this kind may not register as a supplier"


class OrganisationNotApproved(Conflict):
    code = "organisation_not_approved"
    zh, en = "单位尚未通过审核，不能执行此操作", "The organisation is not approved yet"


class RegistrationFrozen(Conflict):
    code = "registration_frozen"
    zh, en = "单位已通过审核，登记信息不能自行修改", "An approved organisation cannot change these fields itself"


class NotABuyer(Conflict):
    code = "not_a_buyer"
    zh, en = "只有采购单位可以设立下级单位", "Only a buying organisation has units below it"


class CapacityHeld(Conflict):
    code = "role_held"
    zh, en = "该单位在此期间已具有此身份", "The organisation has this role already in this period"


class OwnOrganisation(Forbidden):
    code = "own_organisation"
    zh, en = "不能审核自己所在的单位", "Nobody decides on the own organisation"


class RoleNotGrantable(Forbidden):
    code = "role_not_grantable"
    zh, en = "不能授予此角色（{role}）", "You cannot give the role {role} here"


class UserInactive(Conflict):
    code = "user_inactive"
    zh, en = "该用户已停用", "The user is inactive already"


class OwnUser(Conflict):
    code = "own_user"
    zh, en = "不能停用自己", "You cannot deactivate yourself"


class ScopeNotHeld(Forbidden):
    code = "scope_not_held"
    zh, en = "密钥的权限不能超出本人权限（{scopes}）", "A key cannot have permissions that you lack: {scopes}"


CONSTRAINTS["uq_organisation_uscc"] = UsccTaken
CONSTRAINTS["uq_app_user_username"] = UsernameTaken
CONSTRAINTS["fk_organisation_region_code"] = UnknownRegion
CONSTRAINTS["fk_user_role_region_code"] = UnknownRegion
CONSTRAINTS["fk_organisation_role_supporter_id"] = UnknownSupporter
