"""The customer answers two statements, takes note of the privacy notice and wishes the contract (A5)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from wtforms import ValidationError

from services.refusal import OutOfTurn, Refusal
from services.registrations import Access, Registration
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts
from webapp.ui.documents import notice_shown
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say

_ANSWERS = {"accept": True, "decline": False}


class ConsentsForm(StepForm):
    """An answer to each statement, and two boxes."""

    marketing = Text(20)
    data = Text(20)
    notice = Text(20)
    contract = Text(20)

    def validate_marketing(self, field: Text) -> None:
        """Either answer will do."""
        if field.data not in _ANSWERS:
            raise ValidationError(Refusal("consents", f"{field.name}.empty"))

    def validate_notice(self, field: Text) -> None:
        """Both boxes are to be ticked."""
        if not field.data:
            raise ValidationError(Refusal("consents", field.name))

    # Under other names the same rules: WTForms finds them by the field's.
    def validate_data(self, field: Text) -> None:
        """Either answer will do."""
        self.validate_marketing(field)

    def validate_contract(self, field: Text) -> None:
        """Both boxes are to be ticked."""
        self.validate_notice(field)


class Consents(Step):
    """Keeps the answers; declining blocks nothing."""

    name = "consents"
    fact = "consents"
    form = ConsentsForm
    labels: ClassVar = {
        "marketing": "consents.marketing.legend",
        "data": "consents.data.legend",
        "notice": "consents.notice.label",
        "contract": "consents.contract.label",
    }

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """Keep the answers."""
        if access is None:
            raise OutOfTurn
        answers = {name: _ANSWERS[form[name].data] for name in ("marketing", "data")}
        return parts.registrations.consents.consent(access, answers, asker.language)

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """The notice in force, where to read it, and whether it has been opened."""
        return {"privacy": notice_shown(registration.notice_opened if registration else None)}

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """That the statements are made."""
        return say()("consents.summary")
