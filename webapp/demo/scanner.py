"""The demonstration's virus scanner: it knows one virus, the test file of EICAR."""

from typing import IO

from services.gateways.scanner import ScannerUnavailable
from webapp.demo.faults import DemoFaults

_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""In two pieces, so that no scanner finds it here."""
_CHUNK = 64 * 1024


class DemoScanner:
    """Finds the EICAR line anywhere in a file, unless testers let it be away."""

    def __init__(self, faults: DemoFaults) -> None:
        self._faults = faults

    def find(self, file: IO[bytes]) -> str | None:
        """Return the name of what is found, None for a clean file. Raises ScannerUnavailable."""
        self.probe()
        file.seek(0)
        end = b""
        while chunk := file.read(_CHUNK):
            if _EICAR in end + chunk:
                return "Eicar-Test-Signature"
            end = (end + chunk)[-len(_EICAR) :]
        return None

    def probe(self) -> None:
        """Answer at once. Raises ScannerUnavailable."""
        if self._faults.is_failing("scanner"):
            raise ScannerUnavailable("the demonstration's scanner is away")
