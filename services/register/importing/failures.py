"""Why an import ended without changing anything; each message is a sentence for the person at the console."""

from services.denials import Audience, Reason
from services.refusal import Refusal


class ImportFailed(Exception):
    """The import ended before its end; the register is as it was."""


class UnusableFile(ImportFailed):
    """A file cannot be read as what it should be."""


class TooManyRejects(ImportFailed):
    """A whole file was refused, or more rows than the caller allows; the rejects say why."""


class RegisterBusy(ImportFailed):
    """Another import, or another writer, held the register too long."""


class DatabaseFailed(ImportFailed):
    """The database did not do what was asked."""


class UnfitValue(Refusal):
    """A value of a file, or a whole row of it, that cannot be taken.

    `field` is the column; the report of the import alone names it and the reason.
    """

    def _declared(self) -> Reason:
        return Reason(audience=Audience.IMPORT)
