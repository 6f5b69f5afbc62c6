"""The services of one-time codes."""

from dataclasses import dataclass

from services.base import Base
from services.codes.one_time_codes import CodeGenerator, OneTimeCodes
from services.codes.sending import CodeSender
from services.limits.group import LimitServices
from services.messages.group import MessageServices


@dataclass(frozen=True)
class CodeServices:
    """Making, checking and sending codes; `code_generator` also serves the activation codes of accounts."""

    code_generator: CodeGenerator
    one_time_codes: OneTimeCodes
    sender: CodeSender


def build_codes(base: Base, *, limits: LimitServices, messages: MessageServices) -> CodeServices:
    """Build the codes, which pause while the SMS budget is spent."""
    rules, keys = base.profile.one_time_code, base.keys.known_for("one-time codes")
    codes = OneTimeCodes(rules, keys, messages.sms_budget.is_stopped)
    return CodeServices(CodeGenerator(rules, keys), codes, CodeSender(rules, codes, limits.allowances, messages.outbox))
