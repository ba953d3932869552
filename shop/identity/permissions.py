"""Who may do what: one sorted list of permissions, and the set that each role gives."""

from enum import StrEnum


class Permission(StrEnum):
    ACCEPTANCES_CORRECT = "acceptances:correct"
    ACCEPTANCES_RECORD = "acceptances:record"
    AGREEMENTS_MANAGE = "agreements:manage"
    AGREEMENTS_READ = "agreements:read"
    AGREEMENTS_SIGN = "agreements:sign"
    AMENDMENTS_MANAGE = "amendments:manage"
    API_KEYS_MANAGE = "api_keys:manage"
    AUDIT_READ = "audit:read"
    BLACKLIST_MANAGE = "blacklist:manage"
    BUDGET_UNITS_DECIDE = "budget_units:decide"
    BUDGETS_MANAGE = "budgets:manage"
    BULLETINS_PUBLISH = "bulletins:publish"
    BULLETINS_READ = "bulletins:read"
    CAPACITIES_DECLARE = "capacities:declare"
    CATALOGUE_BATCHES_PUBLISH = "catalogue_batches:publish"
    CERTIFICATES_REVOKE = "certificates:revoke"
    CERTIFICATES_SUSPEND = "certificates:suspend"
    CERTIFICATIONS_APPLY = "certifications:apply"
    CERTIFICATIONS_CITY_REVIEW = "certifications:city_review"
    CERTIFICATIONS_COUNTY_REVIEW = "certifications:county_review"
    CERTIFICATIONS_OPINE = "certifications:opine"
    CERTIFICATIONS_READ = "certifications:read"
    CERTIFICATIONS_REVIEW = "certifications:review"
    CERTIFICATIONS_TOWNSHIP_REVIEW = "certifications:township_review"
    CHANGES_READ = "changes:read"
    COMPLAINTS_DECIDE = "complaints:decide"
    COMPLAINTS_FILE = "complaints:file"
    COMPLAINTS_READ = "complaints:read"
    COMPLAINTS_STATE = "complaints:state"
    CONNECTED_ACCOUNTS_MANAGE = "connected_accounts:manage"
    COUNTING_DECIDE = "counting:decide"
    COUNTING_READ = "counting:read"
    COVERAGE_RECORD = "coverage:record"
    DELIVERY_ADDRESSES_MANAGE = "delivery_addresses:manage"
    DISPUTES_DECIDE = "disputes:decide"
    DISPUTES_MEDIATE = "disputes:mediate"
    DISPUTES_OPEN = "disputes:open"
    DISPUTES_READ = "disputes:read"
    EVALUATIONS_ANSWER = "evaluations:answer"
    EVALUATIONS_WRITE = "evaluations:write"
    EXPORTS_MAKE = "exports:make"
    EXTERNAL_SALES_CLAIM = "external_sales:claim"
    EXTERNAL_SALES_READ = "external_sales:read"
    EXTERNAL_SALES_REVIEW = "external_sales:review"
    HOUSEHOLDS_READ = "households:read"
    HOUSEHOLDS_REVEAL = "households:reveal"
    INDICATORS_REPORT = "indicators:report"
    INDICATORS_REVIEW = "indicators:review"
    INVOICES_ISSUE = "invoices:issue"
    MONEY_MANAGE = "money:manage"
    MONEY_READ = "money:read"
    MONITORING_READ = "monitoring:read"
    MONTHS_CLOSE = "months:close"
    NOTIFICATIONS_READ = "notifications:read"
    OBJECTIONS_DECIDE = "objections:decide"
    ONLINE_PAYMENTS_MAKE = "online_payments:make"
    ORDER_DOCUMENTS_READ = "order_documents:read"
    ORDERS_CANCEL = "orders:cancel"
    ORDERS_PLACE = "orders:place"
    ORDERS_READ = "orders:read"
    ORGANISATIONS_APPROVE = "organisations:approve"
    ORGANISATIONS_EDIT = "organisations:edit"
    ORGANISATIONS_READ = "organisations:read"
    OUTLET_SALES_REPORT = "outlet_sales:report"
    OUTLETS_MANAGE = "outlets:manage"
    OUTLETS_READ = "outlets:read"
    OUTLETS_VERIFY = "outlets:verify"
    PAPERS_UPLOAD = "papers:upload"
    PAYMENTS_EXTEND = "payments:extend"
    PAYMENTS_RECORD = "payments:record"
    PLEDGES_MANAGE = "pledges:manage"
    PLEDGES_READ = "pledges:read"
    PRODUCTS_EDIT = "products:edit"
    PRODUCTS_READ = "products:read"
    PROGRAMMES_READ = "programmes:read"
    PROMOTIONS_MANAGE = "promotions:manage"
    PURCHASE_REQUESTS_DECIDE = "purchase_requests:decide"
    QUOTATION_REQUESTS_MANAGE = "quotation_requests:manage"
    QUOTATION_REQUESTS_READ = "quotation_requests:read"
    QUOTATIONS_SUBMIT = "quotations:submit"
    RECONCILE_RUN = "reconcile:run"
    REFUNDS_REQUEST = "refunds:request"
    REPORTS_READ = "reports:read"
    REPORTS_REVIEW = "reports:review"
    REPORTS_SUBMIT = "reports:submit"
    RESERVED_SHARE_FILE = "reserved_share:file"
    RESERVED_SHARE_READ = "reserved_share:read"
    RESERVED_SHARE_REVIEW = "reserved_share:review"
    RETURNS_ANSWER = "returns:answer"
    RETURNS_DOCUMENT = "returns:document"
    RETURNS_REQUEST = "returns:request"
    SETTLEMENTS_ANSWER = "settlements:answer"
    SHIPMENTS_CREATE = "shipments:create"
    STATISTICS_READ = "statistics:read"
    STOCK_EDIT = "stock:edit"
    SUPERVISION_READ = "supervision:read"
    SUPERVISION_RECORD = "supervision:record"
    SUPPLIER_ORDERS_ANSWER = "supplier_orders:answer"
    TARGETS_SET = "targets:set"
    TIES_READ = "ties:read"
    UNITS_MANAGE = "units:manage"
    USERS_MANAGE = "users:manage"
    VOUCHERS_BOOK = "vouchers:book"
    VOUCHERS_REDEEM = "vouchers:redeem"
    WEBHOOKS_MANAGE = "webhooks:manage"


class Role(StrEnum):
    PLATFORM_ADMIN = "platform_admin"
    PLATFORM_FINANCE = "platform_finance"
    TOWNSHIP_OFFICER = "township_officer"
    DEPARTMENT_OFFICER = "department_officer"
    COUNTY_OFFICER = "county_officer"
    CITY_OFFICER = "city_officer"
    MONITOR = "monitor"
    SUPPLIER_ADMIN = "supplier_admin"
    SUPPLIER_STAFF = "supplier_staff"
    BUYER_ADMIN = "buyer_admin"
    PURCHASER = "purchaser"
    APPROVER = "approver"
    FINANCE = "finance"
    VIEWER = "viewer"
    OUTLET_OPERATOR = "outlet_operator"


#: A permission that is a part of another one: whoever has the whole, such as a key with that scope, may do the part.
PART_OF = {Permission.ORDER_DOCUMENTS_READ: Permission.ORDERS_READ}
#: Roles whose reach is a region; the reach of all others is their organisation with its branches.
REGIONAL = frozenset(
    {
        Role.PLATFORM_FINANCE,
        Role.TOWNSHIP_OFFICER,
        Role.DEPARTMENT_OFFICER,
        Role.COUNTY_OFFICER,
        Role.CITY_OFFICER,
        Role.MONITOR,
    }
)

P = Permission
_EVERYONE = {
    P.API_KEYS_MANAGE,
    P.EXPORTS_MAKE,
    P.NOTIFICATIONS_READ,
    P.ORGANISATIONS_READ,
    P.PRODUCTS_READ,
    P.PROGRAMMES_READ,
}
_SUPPLIER = {
    P.ACCEPTANCES_CORRECT,
    P.AGREEMENTS_READ,
    P.AMENDMENTS_MANAGE,
    P.CAPACITIES_DECLARE,
    P.CERTIFICATIONS_READ,
    P.CHANGES_READ,
    P.COMPLAINTS_READ,
    P.DISPUTES_OPEN,
    P.DISPUTES_READ,
    P.EVALUATIONS_ANSWER,
    P.EXTERNAL_SALES_CLAIM,
    P.EXTERNAL_SALES_READ,
    P.HOUSEHOLDS_READ,
    P.INVOICES_ISSUE,
    P.ORDER_DOCUMENTS_READ,
    P.ORDERS_READ,
    P.PAPERS_UPLOAD,
    P.QUOTATION_REQUESTS_READ,
    P.QUOTATIONS_SUBMIT,
    P.RETURNS_ANSWER,
    P.RETURNS_DOCUMENT,
    P.SHIPMENTS_CREATE,
    P.STATISTICS_READ,
    P.STOCK_EDIT,
    P.SUPPLIER_ORDERS_ANSWER,
    P.VOUCHERS_REDEEM,
}
#: What everybody of a buying unit sees.
_BUYER = {
    P.AGREEMENTS_READ,
    P.CHANGES_READ,
    P.COMPLAINTS_READ,
    P.DISPUTES_READ,
    P.EXTERNAL_SALES_READ,
    P.ORDER_DOCUMENTS_READ,
    P.ORDERS_READ,
    P.PLEDGES_READ,
    P.QUOTATION_REQUESTS_READ,
    P.REPORTS_READ,
    P.RESERVED_SHARE_READ,
    P.STATISTICS_READ,
}
#: What whoever orders for a buyer does.
_PURCHASER = {
    P.ACCEPTANCES_CORRECT,
    P.ACCEPTANCES_RECORD,
    P.AGREEMENTS_MANAGE,
    P.AMENDMENTS_MANAGE,
    P.COMPLAINTS_FILE,
    P.DELIVERY_ADDRESSES_MANAGE,
    P.DISPUTES_OPEN,
    P.EVALUATIONS_WRITE,
    P.EXTERNAL_SALES_CLAIM,
    P.ONLINE_PAYMENTS_MAKE,
    P.ORDERS_CANCEL,
    P.ORDERS_PLACE,
    P.PAPERS_UPLOAD,
    P.PAYMENTS_EXTEND,
    P.PLEDGES_MANAGE,
    P.QUOTATION_REQUESTS_MANAGE,
    P.RETURNS_DOCUMENT,
    P.RETURNS_REQUEST,
    P.VOUCHERS_BOOK,
}
_OFFICER = {
    P.AGREEMENTS_READ,
    P.BULLETINS_READ,
    P.CERTIFICATIONS_READ,
    P.COMPLAINTS_READ,
    P.COUNTING_READ,
    P.DISPUTES_READ,
    P.EXTERNAL_SALES_READ,
    P.MONITORING_READ,
    P.ORDER_DOCUMENTS_READ,
    P.ORDERS_READ,
    P.OUTLETS_READ,
    P.PLEDGES_READ,
    P.QUOTATION_REQUESTS_READ,
    P.REPORTS_READ,
    P.RESERVED_SHARE_READ,
    P.STATISTICS_READ,
    P.SUPERVISION_READ,
    P.TIES_READ,
}
#: What every level of review may do with the cases that are before it.
_REVIEWER = {P.CERTIFICATIONS_OPINE, P.CERTIFICATIONS_REVIEW, P.HOUSEHOLDS_READ, P.SUPERVISION_RECORD}
_DECIDING = {
    P.BUDGET_UNITS_DECIDE,
    P.CERTIFICATES_SUSPEND,
    P.COMPLAINTS_DECIDE,
    P.COUNTING_DECIDE,
    P.EXTERNAL_SALES_REVIEW,
    P.COVERAGE_RECORD,
    P.HOUSEHOLDS_REVEAL,
    P.INDICATORS_REPORT,
    P.INDICATORS_REVIEW,
    P.OBJECTIONS_DECIDE,
    P.ORGANISATIONS_APPROVE,
    P.OUTLETS_MANAGE,
    P.OUTLETS_VERIFY,
    P.PROMOTIONS_MANAGE,
    P.MONTHS_CLOSE,
    P.REPORTS_REVIEW,
    P.RESERVED_SHARE_REVIEW,
    P.TARGETS_SET,
}
#: What whoever administers an organisation does, on either side.
_ADMIN = {P.AGREEMENTS_SIGN, P.MONEY_READ, P.ORGANISATIONS_EDIT, P.TIES_READ, P.USERS_MANAGE, P.WEBHOOKS_MANAGE}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.PLATFORM_ADMIN: frozenset(
        _EVERYONE
        | {
            P.AGREEMENTS_READ,
            P.AUDIT_READ,
            P.CERTIFICATIONS_READ,
            P.MONITORING_READ,
            P.ORDER_DOCUMENTS_READ,
            P.ORDERS_READ,
            P.ORGANISATIONS_APPROVE,
            P.OUTLETS_READ,
            P.QUOTATION_REQUESTS_READ,
            P.RECONCILE_RUN,
            P.STATISTICS_READ,
            P.TIES_READ,
            P.USERS_MANAGE,
        }
    ),
    #: Keeps the money that passes through the marketplace.
    Role.PLATFORM_FINANCE: frozenset(
        _EVERYONE
        | {
            P.MONEY_MANAGE,
            P.MONEY_READ,
            P.ORDER_DOCUMENTS_READ,
            P.ORDERS_READ,
            P.PAYMENTS_RECORD,
            P.RECONCILE_RUN,
            P.REFUNDS_REQUEST,
            P.TIES_READ,
        }
    ),
    Role.TOWNSHIP_OFFICER: frozenset(_EVERYONE | _OFFICER | _REVIEWER | {P.CERTIFICATIONS_TOWNSHIP_REVIEW, P.COVERAGE_RECORD}),
    Role.DEPARTMENT_OFFICER: frozenset(
        _EVERYONE | _OFFICER | {P.CERTIFICATIONS_OPINE, P.INDICATORS_REPORT, P.RESERVED_SHARE_REVIEW, P.SUPERVISION_RECORD}
    ),
    Role.COUNTY_OFFICER: frozenset(
        _EVERYONE | _OFFICER | _REVIEWER | _DECIDING | {P.CERTIFICATIONS_COUNTY_REVIEW, P.DISPUTES_MEDIATE, P.REPORTS_SUBMIT}
    ),
    Role.CITY_OFFICER: frozenset(
        _EVERYONE
        | _OFFICER
        | _REVIEWER
        | _DECIDING
        | {
            P.AUDIT_READ,
            P.BLACKLIST_MANAGE,
            P.BULLETINS_PUBLISH,
            P.CATALOGUE_BATCHES_PUBLISH,
            P.CERTIFICATES_REVOKE,
            P.CERTIFICATIONS_CITY_REVIEW,
            P.DISPUTES_DECIDE,
            P.RECONCILE_RUN,
        }
    ),
    Role.MONITOR: frozenset(
        _EVERYONE
        | {
            P.BULLETINS_READ,
            P.CERTIFICATIONS_READ,
            P.COUNTING_READ,
            P.EXTERNAL_SALES_READ,
            P.ORDER_DOCUMENTS_READ,
            P.OUTLETS_READ,
            P.MONITORING_READ,
            P.PLEDGES_READ,
            P.RECONCILE_RUN,
            P.REPORTS_READ,
            P.RESERVED_SHARE_READ,
            P.STATISTICS_READ,
            P.SUPERVISION_READ,
            P.TIES_READ,
        }
    ),
    Role.SUPPLIER_ADMIN: frozenset(
        _EVERYONE
        | _SUPPLIER
        | _ADMIN
        | {P.CERTIFICATIONS_APPLY, P.COMPLAINTS_STATE, P.CONNECTED_ACCOUNTS_MANAGE, P.PRODUCTS_EDIT, P.SETTLEMENTS_ANSWER}
    ),
    Role.SUPPLIER_STAFF: frozenset(_EVERYONE | _SUPPLIER),
    Role.BUYER_ADMIN: frozenset(
        _EVERYONE
        | _BUYER
        | _PURCHASER
        | _ADMIN
        | {
            P.BUDGETS_MANAGE,
            P.PURCHASE_REQUESTS_DECIDE,
            P.REFUNDS_REQUEST,
            P.REPORTS_SUBMIT,
            P.RESERVED_SHARE_FILE,
            P.RESERVED_SHARE_REVIEW,
            P.UNITS_MANAGE,
        }
    ),
    Role.PURCHASER: frozenset(_EVERYONE | _BUYER | _PURCHASER),
    Role.APPROVER: frozenset(_EVERYONE | _BUYER | {P.PURCHASE_REQUESTS_DECIDE}),
    Role.FINANCE: frozenset(
        _EVERYONE
        | _BUYER
        | {
            P.BUDGETS_MANAGE,
            P.DISPUTES_OPEN,
            P.MONEY_READ,
            P.ONLINE_PAYMENTS_MAKE,
            P.PAPERS_UPLOAD,
            P.PAYMENTS_EXTEND,
            P.PAYMENTS_RECORD,
            P.PURCHASE_REQUESTS_DECIDE,
            P.REFUNDS_REQUEST,
            P.REPORTS_SUBMIT,
            P.RESERVED_SHARE_FILE,
            P.RESERVED_SHARE_REVIEW,
            P.TIES_READ,
        }
    ),
    Role.VIEWER: frozenset(_EVERYONE | _BUYER),
    Role.OUTLET_OPERATOR: frozenset(
        _EVERYONE
        | {
            P.CHANGES_READ,
            P.OUTLET_SALES_REPORT,
            P.OUTLETS_MANAGE,
            P.OUTLETS_READ,
            P.STATISTICS_READ,
            P.TIES_READ,
            P.WEBHOOKS_MANAGE,
        }
    ),
}
