"""Why an import ended without changing anything; each message is a sentence for the person at the console."""


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
