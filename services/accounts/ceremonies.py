"""What a passkey's answers prove (WebAuthn 3).

Its library takes 14 MB, so this module is loaded where somebody makes or uses a passkey, not at the start.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from webauthn import (
    base64url_to_bytes,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.accounts.account import Account

T = TypeVar("T")

_LONGEST_ID = 1023
"""In bytes (7.1, on the length of the credential's id)."""


@dataclass(frozen=True)
class NewPasskey:
    """A new passkey that has proved itself."""

    id: str
    public_key: bytes
    sign_count: int
    transports: list[str]


@dataclass(frozen=True)
class PasskeyUse:
    """A passkey's answer to a challenge; only `new_sign_count` proves it."""

    passkey_id: str
    user_handle: bytes | None
    challenge: str
    _credential: AuthenticationCredential

    def new_sign_count(self, host: str, origin: str, public_key: bytes, sign_count: int) -> int | None:
        """Return the passkey's counter when its key signed the challenge for these pages; None otherwise (7.2)."""
        proof = _faultless(
            lambda: verify_authentication_response(
                credential=self._credential,
                expected_challenge=self.challenge.encode(),
                expected_rp_id=host,
                expected_origin=origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=True,
            )
        )
        return None if proof is None else proof.new_sign_count


def options_to_make(
    account: Account, insurer: str, *, host: str, challenge: str, milliseconds: int, others: Iterable[str]
) -> str:
    """Return the options from which a browser makes a passkey, as JSON; `others` are the ids of existing passkeys."""
    return options_to_json(
        generate_registration_options(
            rp_id=host,
            rp_name=insurer,
            user_id=account.id.encode(),
            user_name=account.email,
            user_display_name=account.name,
            challenge=challenge.encode(),
            timeout=milliseconds,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(other)) for other in others],
        )
    )


def read_made(answer: str, challenge: str, host: str, origin: str) -> NewPasskey | None:
    """Return the passkey that was made in answer to `challenge` (JSON); None when it proves nothing (7.1)."""
    credential = _faultless(lambda: parse_registration_credential_json(answer))
    if credential is None or _challenge_of(credential) != challenge:
        return None

    def verify() -> NewPasskey | None:
        proof = verify_registration_response(
            credential=credential,
            expected_challenge=challenge.encode(),
            expected_rp_id=host,
            expected_origin=origin,
            require_user_verification=True,
        )
        # An unusable key is found now, not at the next sign-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(proof.credential_public_key))
        transports = [transport.value for transport in credential.response.transports or ()]
        made = NewPasskey(
            bytes_to_base64url(proof.credential_id), proof.credential_public_key, proof.sign_count, transports
        )
        return made if len(proof.credential_id) <= _LONGEST_ID else None

    return _faultless(verify)


def read_use(answer: str) -> PasskeyUse | None:
    """Return the answer of a passkey (JSON) to the challenge that it names; None when it cannot be read."""
    credential = _faultless(lambda: parse_authentication_credential_json(answer))
    challenge = None if credential is None else _challenge_of(credential)
    if credential is None or challenge is None:
        return None
    return PasskeyUse(bytes_to_base64url(credential.raw_id), credential.response.user_handle, challenge, credential)


def _challenge_of(credential: AuthenticationCredential | RegistrationCredential) -> str | None:
    """Return the challenge that was answered; None for an answer from inside another site's frame."""
    data = _faultless(lambda: parse_client_data_json(credential.response.client_data_json))
    return _faultless(data.challenge.decode) if data is not None and not data.cross_origin else None


def _faultless(check: Callable[[], T]) -> T | None:
    """Return what a check of an answer returns, or None when it finds fault with it.

    Anybody may send anything. The library raises its own errors, and those of the libraries below it.
    """
    try:
        return check()
    except Exception:
        return None
