"""How a registration orders its code."""

from services.codes.sending import CodeOrder
from services.registrations.registration import Registration


def code_order(registration: Registration) -> CodeOrder:
    """Return the order of a code to the registration's mobile, which dies with the registration."""
    return CodeOrder(
        registration.kutid,
        registration.id,
        registration.mobile or "",
        language=registration.language,
        ends_at=registration.expires_at,
        is_on_record=True,
    )
