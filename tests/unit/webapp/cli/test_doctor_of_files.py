"""What the doctor says of the scanner and of the files that wait for it (P41)."""

from io import BytesIO

from tests.world.cast import ANNA
from tests.world.files import photo
from tests.world.site import Site
from webapp.cli.doctor import Finding, examine


def findings(site: Site, subject: str) -> list[Finding]:
    return [one for one in examine(site.parts.settings) if one.subject == subject]


def test_a_scanner_that_answers_is_well_and_files_are_counted(site: Site) -> None:
    (scanner,), (files,) = findings(site, "virus scanner"), findings(site, "files")
    assert (scanner.state, scanner.is_bad) == ("answers", False)
    assert (files.state, files.is_bad) == ("0 wait to be checked, 0 were refused", False)


def test_one_that_is_away_names_its_setting_and_how_long_files_wait(site: Site) -> None:
    site.ask("/dev/faults", **{"name": "scanner", "for": "3600"})
    site.parts.portal.uploads.intake.receive("a draft", ANNA.kutid, "photos", "a.jpg", BytesIO(photo()))
    site.advance(minutes=7)
    (scanner,), (files,) = findings(site, "virus scanner"), findings(site, "files")
    assert scanner.is_bad
    assert "BELEPO_SCANNER_URL" in scanner.advice
    assert files.is_bad
    assert files.state == "1 wait to be checked, the oldest for 7 minutes"
