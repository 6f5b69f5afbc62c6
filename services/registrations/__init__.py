"""Registrations: from a policy number to an account.

What is known of a registration are facts: columns that are filled, or a profile's own `answers`. A profile's
journey gives their order. A step is taken by one conditional UPDATE, whose conditions are the facts that come
before it: so nothing is skipped, and of requests at once one has its way (ASVS 2.3.1, 15.4.2).
"""

from services.registrations.registration import COMPLETE, EMAIL_CONFIRMED, MOBILE_CONFIRMED, Access, Registration
from services.registrations.registrations import Registrations

__all__ = ["COMPLETE", "EMAIL_CONFIRMED", "MOBILE_CONFIRMED", "Access", "Registration", "Registrations"]
