"""Staff at work in the console."""

from tests.world.pages import Page
from tests.world.site import Site, Visitor
from webapp.demo.seed import STAFF_PASSWORD

SERVICE, PARTNER = "/ugyfelszolgalat", "/partner"
CLERK, ADVISER, BOSS = "ugyintezo@example.hu", "tanacsado@example.hu", "vezeto@example.hu"
ILONAS_POLICY, NEW_MOBILE, MAIL = "940000005", "+36209998877", "ilona@example.hu"


class Colleague(Visitor):
    """A member of staff at work: goes where htmx is told to go, as a browser does."""

    def follow(self, response: object) -> Page:
        there = response.headers.get("HX-Redirect")  # type: ignore[attr-defined]
        page = self.open(there) if there else super().follow(response)  # type: ignore[arg-type]
        page.path = response.headers.get("HX-Push-Url") or page.path  # type: ignore[attr-defined]
        return page

    def open(self, address: str = SERVICE, *, whole: bool = True) -> Page:
        response = self.client.get(address, headers={"Accept-Language": self.language})
        return self.open(response.location) if response.status_code == 303 else self._read(response)

    def sign_in(self, email: str = CLERK, password: str = STAFF_PASSWORD, door: str = SERVICE) -> Page:
        self.open(door)
        return self.send(email=email, password=password)

    def search(self, text: str) -> Page:
        return self.send("staff-search", policy_number=text)

    def record_identification(self, method: str = "call") -> Page:
        assert self.page is not None
        return self.follow(self.post(self.page.path, {"identified_by": method}))

    def serve(self, text: str) -> Page:
        """Find a customer and record that they were identified."""
        self.search(text)
        return self.record_identification()

    def record(self, email: str = MAIL, mobile: str = "20 999 8877", again: str = "") -> Page:
        fields = {"email": email, "email_confirm": again or email, "mobile": mobile}
        return self.send("staff-record", **fields)

    def type_code(self, code: str) -> Page:
        return self.send("staff-code", sms_code=code)


def colleague(site: Site, email: str) -> Colleague:
    one = Colleague(site)
    one.sign_in(email)
    return one
