"""A kind of request as data: who may ask for it, and the questions in order (P33, P34)."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

QuestionType = Literal[
    "contract",
    "choice",
    "text",
    "long_text",
    "date",
    "date_from_today",
    "date_until_today",
    "year",
    "time",
    "money",
    "plate",
    "postal_code",
    "town",
    "street",
    "name",
    "bank_account",
    "phone",
    "email",
    "yes_no",
    "files",
    "statement",
]
TYPES: tuple[str, ...] = get_args(QuestionType)
CONTRACT = "contract"
"""The question for a contract bears the name of its type: a request is about one contract at most."""

POLICY_NUMBER, EMAIL = "policy_number", "email"
"""What somebody without an account is asked in place of a contract (P45)."""

_NAME = re.compile(r"[a-z][a-z_]{0,39}")
_KIND = re.compile(r"[a-z][a-z-]{1,39}")
_IF, _MAY_BE_EMPTY = "if", "?"
_TAKEN = frozenset({_IF, "action", "answer", "attekintes", "csrf_token", "draft", "file", "page", "remove", "seen"})
"""Names that the forms of requests need themselves."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Part):
    """One question. In the file it is its type as a text, or for a choice the list of the possible answers.

    A question mark at the end of the type lets it be left empty.
    """

    name: str
    type: QuestionType
    options: tuple[str, ...] = ()
    is_optional: bool = False

    @property
    def is_date(self) -> bool:
        """Whether it asks for a day, by year, month and day."""
        return self.type.startswith("date")


class Page(_Part):
    """Questions that are asked together: most pages have one."""

    condition: Mapping[str, tuple[str, ...]] = {}
    """The page is shown only where the answer to each of these earlier questions is one of these."""
    questions: tuple[Question, ...]

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError('is no page; write { place = "text" }')
        if "questions" in given:
            return given
        asked = {name: value for name, value in given.items() if name != _IF}
        if not asked:
            raise ValueError('a page has no question; write { place = "text" }')
        return {
            "condition": _read_condition(given.get(_IF, {})),
            "questions": tuple(_read_question(name, value) for name, value in asked.items()),
        }

    @property
    def id(self) -> str:
        """The name by which addresses and forms know it: that of its first question."""
        return self.questions[0].name

    def is_shown(self, answers: Mapping[str, Any]) -> bool:
        """Tell whether the answers so far ask for it."""
        return all(answers.get(name) in wanted for name, wanted in self.condition.items())


def _read_condition(given: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        raise ValueError('if: is no condition; write { if = { police = "yes" }, … }')
    return {name: (wanted,) if isinstance(wanted, str) else tuple(wanted) for name, wanted in given.items()}


def _read_question(name: str, given: Any) -> Question:
    if not _NAME.fullmatch(name) or name in _TAKEN or "password" in name:  # typed answers are kept, passwords never
        raise ValueError(f"{name}: cannot be the name of a question; write small letters and _, not {_listed(_TAKEN)}")
    if (
        isinstance(given, list)
        and len(given) > 1
        and all(isinstance(one, str) and _NAME.fullmatch(one) for one in given)
    ):
        return Question(name=name, type="choice", options=tuple(given))
    if not isinstance(given, str):
        raise ValueError(f"{name}: write a type, such as “text”, or at least two answers to choose from")
    is_optional, kind = given.endswith(_MAY_BE_EMPTY), given.rstrip(_MAY_BE_EMPTY)
    if kind not in TYPES or kind == "choice":
        raise ValueError(f"{name}: “{kind}” is no type of question; it is one of {_listed(set(TYPES) - {'choice'})}")
    return Question(name=name, type=kind, is_optional=is_optional)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))


class RequestKind(_Part):
    """One kind of request. Its name is the table's; its texts are `request.kind.<name>.…`."""

    group: Annotated[
        Literal["claim", "change", "portfolio", "documents"],
        Field(description="The heading under which it is offered."),
    ]
    days: Annotated[
        int, Field(ge=0, le=60, description="Within how many working days the customer has an answer; 0 is at once.")
    ]
    minutes: Annotated[int, Field(ge=1, le=60, description="About how long it takes to ask.")] = 2
    products: Annotated[
        tuple[str, ...],
        Field(description="Codes of the products it can be asked for. Without them it is every product."),
    ] = ()
    contracts: Annotated[
        tuple[Literal["live", "future", "ended"], ...],
        Field(min_length=1, description="The states of the contracts it can be asked for."),
    ] = ("live",)
    holders: Annotated[
        tuple[Literal["person", "company"], ...], Field(min_length=1, description="Who may ask for it.")
    ] = ("person", "company")
    first: Annotated[
        Literal["motor", "home"] | None,
        Field(description="What to do and whom to call first (P46): the page before the first question."),
    ] = None
    without_account: Annotated[
        bool,
        Field(
            description="Whether somebody without an account can report it from the start page (P45), by a policy "
            "number and an address to answer to."
        ),
    ] = False
    pages: Annotated[
        tuple[Page, ...],
        WithJsonSchema({"type": "array", "items": {"type": "object"}}),
        Field(
            min_length=1,
            description=(
                'The questions in order, a page each: `{ place = "text" }`. With `if` a page depends on an earlier '
                'answer: `{ if = { where = "post" }, street = "street" }`.'
            ),
        ),
    ]

    @model_validator(mode="after")
    def _is_possible(self) -> "RequestKind":
        seen: dict[str, Question] = {}
        for number, page in enumerate(self.pages):
            for name, wanted in page.condition.items():
                _judge_condition(number, name, wanted, seen)
            for question in page.questions:
                _judge_question(number, question, seen)
                seen[question.name] = question
        if self.without_account and (self.group != "claim" or {POLICY_NUMBER, EMAIL} & set(seen)):
            raise ValueError(
                "without_account: is for the group claim, and asks for policy_number and email by itself; "
                "take it away, or rename the question"
            )
        if self.products and CONTRACT not in seen:
            raise ValueError('products: nothing asks for a contract; add a page { contract = "contract" }')
        return self

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """All questions by their names, in order."""
        return {one.name: one for page in self.pages for one in page.questions}

    def page(self, page_id: str) -> Page | None:
        """Return the page with this id."""
        return next((page for page in self.pages if page.id == page_id), None)


def _judge_condition(number: int, name: str, wanted: tuple[str, ...], seen: Mapping[str, Question]) -> None:
    place = f"pages.{number}"
    if name not in seen:
        raise ValueError(f"{place}: depends on “{name}”, which no page before it asks")
    asked = seen[name]
    possible = asked.options or {"yes_no": ("yes", "no")}.get(asked.type, ())
    if not possible:
        raise ValueError(f"{place}: depends on “{name}”, whose answers are free; only a choice or yes_no can decide")
    if unknown := [one for one in wanted if one not in possible]:
        raise ValueError(f"{place}: “{name}” is never “{unknown[0]}”; its answers are {', '.join(possible)}")


def _judge_question(number: int, question: Question, seen: Mapping[str, Question]) -> None:
    if question.name in seen:
        raise ValueError(f"pages.{number}: “{question.name}” is asked twice")
    if (question.type == CONTRACT) != (question.name == CONTRACT):
        raise ValueError(f"pages.{number}: the question for a contract is called “contract”, and no other")


class RequestRules(_Part):
    """What holds for every kind of request."""

    draft_days: Annotated[
        int, Field(ge=2, le=365, description="After how many days a request that was not sent is erased (P35).")
    ] = 30
    answer_days: Annotated[
        int, Field(ge=1, le=365, description="How many days the customer has to answer a question of the insurer's.")
    ] = 14
    kept_days: Annotated[int, Field(ge=30, le=36525, description="How long a request is kept after its end.")] = 1826

    @property
    def draft(self) -> timedelta:
        """How long a request can be begun and not sent."""
        return timedelta(days=self.draft_days)

    @property
    def answer(self) -> timedelta:
        """How long the customer has to answer a question."""
        return timedelta(days=self.answer_days)

    @property
    def kept(self) -> timedelta:
        """How long a request is kept after its end."""
        return timedelta(days=self.kept_days)


def is_name_of_kind(name: str) -> bool:
    """Tell whether a kind may be called so: its name stands in addresses and in keys of texts."""
    return _KIND.fullmatch(name) is not None


def needed_texts(name: str, kind: RequestKind) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield for each text of a kind the path of what it is for, and the keys of which one must be there."""
    own, place = f"request.kind.{name}", ("requests", name)
    yield place, (f"{own}.title",)
    yield place, (f"{own}.text",)
    for number, page in enumerate(kind.pages):
        at = (*place, "pages", str(number))
        for question in page.questions:
            yield at, (f"{own}.{question.name}.label", f"request.common.{question.name}.label")
            for option in question.options:
                yield at, (f"{own}.{question.name}.{option}",)
