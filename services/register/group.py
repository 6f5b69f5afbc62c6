"""The services of the insurer's register."""

from dataclasses import dataclass

from services.base import Base
from services.limits.group import LimitServices
from services.register.policyholders import PolicyHolders


@dataclass(frozen=True)
class RegisterServices:
    """Who the insurer's customers are."""

    policyholders: PolicyHolders


def build_register(base: Base, limits: LimitServices) -> RegisterServices:
    """Build the search for policy holders."""
    return RegisterServices(PolicyHolders(base.profile.identification, limits.allowances, limits.failed_attempts))
