"""A motor claim as a customer fills it in: the longest request that every profile has, and one with photos."""

from services.accounts import Session
from services.profiles.request_kinds import CONTRACT
from services.requests.group import RequestServices
from services.requests.request import Draft

KIND, PHOTOS = "claim-motor", "photos"
ADDRESS = f"/ugyintezes/uj/{KIND}"
TO_THE_FILES = f"{ADDRESS}/fajlok?kerdes={PHOTOS}"


def fill_in(requests: RequestServices, session: Session, *, photos: int = 0, until: str = "") -> Draft:
    """Answer each question of a claim with what a customer would say, and return the draft.

    With `until`, the questions before that one alone.
    """
    offer, today = requests.kinds.offer(session, KIND), requests.drafts.reader.today.isoformat()
    answers = {
        CONTRACT: offer.contracts[0].number,
        "happened_on": today,
        "happened_at": "00:00",
        "place": "M1, 45 km",
        "description": "Felverődött egy kavics, és megrepesztette a szélvédőt.",
        "police": "no",
        PHOTOS: photos or None,
        "account": "HU42117730161111101800000000",
        "statement": True,
    }
    draft = requests.drafts.begin(session, offer)
    for page in offer.kind.path({}):
        if page.id == until:
            break
        draft = requests.drafts.save(session, offer, page, {one.name: answers[one.name] for one in page.questions})
    return draft
