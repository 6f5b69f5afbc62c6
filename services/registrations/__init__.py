"""Registrations: from a policy number to an account.

A registration consists of facts: filled columns, or a profile's own `answers`. The profile's journey gives their order.
One conditional UPDATE takes a step; its conditions are the facts that come before. So no step is skipped, and one of
several parallel requests wins (ASVS 2.3.1, 15.4.2).
"""

from services.registrations.registration import COMPLETE, EMAIL_CONFIRMED, MOBILE_CONFIRMED, Access, Registration
from services.registrations.registrations import Registrations

__all__ = ["COMPLETE", "EMAIL_CONFIRMED", "MOBILE_CONFIRMED", "Access", "Registration", "Registrations"]
