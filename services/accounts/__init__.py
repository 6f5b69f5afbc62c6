"""Accounts: signing in and out, the password, what a customer may change, and the account's end.

A session lives in the database and is known by the hash of what its browser holds, so it can be ended here,
and a saved cookie is worth nothing afterwards. Whatever a session changes is changed by a statement that asks,
among its conditions, whether the session is still open (ASVS 7.4.1, 15.4.2).
"""

from services.accounts.account import Account, DeadLink, Session, SignedOut
from services.accounts.activations import Activations
from services.accounts.details import AccountDetails
from services.accounts.passkeys import Passkeys
from services.accounts.passwords import PasswordChanges
from services.accounts.sign_in import SignIns

__all__ = [
    "Account",
    "AccountDetails",
    "Activations",
    "DeadLink",
    "Passkeys",
    "PasswordChanges",
    "Session",
    "SignIns",
    "SignedOut",
]
