"""The services of files that customers add."""

from dataclasses import dataclass

from services.base import Base
from services.gateways.scanner import Scanner
from services.gateways.storage import Storage
from services.limits.group import LimitServices
from services.messages.group import MessageServices
from services.uploads.checking import Checking
from services.uploads.intake import Intake
from services.uploads.objects import Objects
from services.uploads.reading import Reading
from services.uploads.uploads import Uploads


@dataclass(frozen=True)
class UploadServices:
    """What customers, the insurer and the worker do with files."""

    intake: Intake
    files: Uploads
    reading: Reading
    checking: Checking


def build_uploads(
    base: Base, *, storage: Storage, messages: MessageServices, limits: LimitServices, scanner: Scanner | None
) -> UploadServices:
    """Build the services of files, whose bytes are in `storage`; without a scanner none is scanned."""
    objects = Objects(base, storage)
    return UploadServices(
        intake=Intake(base, objects, limits.allowances),
        files=Uploads(base, objects, messages.outbox),
        reading=Reading(base, objects),
        checking=Checking(base, objects, messages.outbox, scanner),
    )
