"""Who may change a saved list: pure functions."""


def may_edit(*, owner_id: int, shared: bool, home_id: int, user_id: int | None, organisation_id: int | None) -> bool:
    """Its owner; a shared one everybody of the organisation that it belongs to. The units around it only read and order."""
    return owner_id == user_id or (shared and home_id == organisation_id)
