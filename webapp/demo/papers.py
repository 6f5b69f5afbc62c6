"""What the demonstration's letters say, in Hungarian and in Slovak. All of it is invented."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency

from services.pdf import Block, Facts, Fine, Heading, Letterhead, Paper, Sums, Text
from services.profiles import Profile

_NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Contract:
    """A contract as its letters name it."""

    policy_number: str
    product: str
    is_live: bool


@dataclass(frozen=True)
class Recipient:
    """To whom a letter is addressed."""

    name: str
    postal_code: str


@dataclass(frozen=True)
class _Words:
    """The words of one language."""

    currency: str
    premium: int  # of a year, in the smallest unit
    instalment: int
    paid: int
    titles: Mapping[str, str]
    products: Mapping[str, tuple[str, str]]  # the name of the product, and what is insured
    towns: Mapping[str, str]
    street: str
    dear: str
    dear_all: str
    closing: str
    reason: str
    said: Mapping[str, str] = field(repr=False)


_HUNGARIAN = _Words(
    currency="HUF",
    premium=99600,
    instalment=24900,
    paid=12000,
    titles={
        "policy": "Kötvény",
        "certificate": "Díjigazolás",
        "payment_request": "Díjbekérő",
        "notice": "Tájékoztatás",
        "premium_notice": "Értesítés a következő évi díjról",
    },
    products={
        "motor": ("Kötelező gépjármű-felelősségbiztosítás", "ABC-123 rendszámú személygépkocsi"),
        "home": ("Lakásbiztosítás", "68 m²-es lakás"),
        "travel": ("Utasbiztosítás", "Európai utazás"),
        "business": ("Vállalkozói vagyonbiztosítás", "Iroda és berendezései"),
        "condominium": ("Társasházbiztosítás", "24 lakásos társasház"),
        "": ("Biztosítás", "A szerződés szerint"),
    },
    towns={"1066": "Budapest", "3525": "Miskolc"},
    street="Minta utca 12.",
    dear="Tisztelt {name}!",
    dear_all="Tisztelt Ügyfelünk!",
    closing="Üdvözlettel: {insurer}",
    reason="A díjbekérőben rossz határidő szerepelt.",
    said={
        "policy.text": (
            "Köszönjük, hogy biztosítását nálunk kötötte meg. Ez a kötvény igazolja, hogy szerződése létrejött, és "
            "tartalmazza a legfontosabb adatait."
        ),
        "policy.covers": "Mire terjed ki a biztosítás",
        "policy.cover": "Fedezet",
        "policy.limit": "Biztosítási összeg",
        "policy.covered": "Dologi károk|Személyi sérülés|Jogi védelem",
        "policy.check": (
            "Kérjük, ellenőrizze a kötvény adatait. Ha a szerződési ajánlatától eltérést talál, 15 napon belül jelezze "
            "ügyfélszolgálatunknak."
        ),
        "certificate.text": "Igazoljuk, hogy a biztosítás díja az alábbiak szerint befizetésre került.",
        "certificate.year": "Időszak",
        "certificate.paid": "Befizetett díj",
        "certificate.state": "Díjrendezettség",
        "certificate.settled": "Díjhátralék nincs",
        "certificate.fine": "Az igazolást kérésre állítottuk ki. Aláírás nélkül is hiteles.",
        "request.text": "Kérjük, hogy biztosításának esedékes díját az alábbi határidőig fizesse be.",
        "request.heading": "A fizetendő díj",
        "request.item": "Tétel",
        "request.amount": "Összeg",
        "request.premium": "Biztosítási díj",
        "request.total": "Fizetendő",
        "request.due": "Fizetési határidő",
        "request.instalment": "{number}. negyedévi díj, esedékes: {date}",
        "request.how": (
            "Fizethet bankkártyával vagy átutalással, a Számlák menüpontban. Ha a díjat már befizette, "
            "kérjük, tekintse "
            "levelünket tárgytalannak."
        ),
        "next.text": (
            "Tájékoztatjuk, hogy biztosításának következő biztosítási időszakra érvényes díja az "
            "alábbiak szerint alakul."
        ),
        "next.year": "Biztosítási időszak",
        "next.until": (
            "Ha a szerződést nem kívánja fenntartani, az évforduló előtt legkésőbb 30 nappal írásban felmondhatja."
        ),
        "ended.text": (
            "Tájékoztatjuk, hogy biztosítási szerződése megszűnt. A szerződésből további díjfizetés nem esedékes."
        ),
        "ended.keep": "Korábbi leveleit a Levelezés menüpontban továbbra is megtalálja.",
        "notice.text": (
            "Tájékoztatjuk, hogy az adatkezelési tájékoztatónk megváltozott. A változás a szerződéseit "
            "és azok díját nem "
            "érinti."
        ),
        "notice.confirm": "Kérjük, a levél elolvasását az ügyfélportálon erősítse meg.",
        "facts.number": "Kötvényszám",
        "facts.product": "Termék",
        "facts.insured": "Biztosított vagyontárgy",
        "facts.premium": "Éves díj",
        "facts.frequency": "Díjfizetés gyakorisága",
        "facts.quarterly": "negyedéves",
    },
)

_SLOVAK = _Words(
    currency="EUR",
    premium=99600,
    instalment=24900,
    paid=12000,
    titles={
        "policy": "Poistka",
        "certificate": "Potvrdenie o poistnom",
        "payment_request": "Predpis poistného",
        "notice": "Oznámenie",
        "premium_notice": "Poistné na ďalšie obdobie",
    },
    products={
        "motor": ("Povinné zmluvné poistenie vozidla", "Osobné vozidlo BA123CD"),
        "home": ("Poistenie domácnosti", "Byt s rozlohou 68 m²"),
        "travel": ("Cestovné poistenie", "Cesty v Európe"),
        "business": ("Poistenie podnikateľov", "Kancelária a jej zariadenie"),
        "condominium": ("Poistenie bytového domu", "Bytový dom s 24 bytmi"),
        "": ("Poistenie", "Podľa zmluvy"),
    },
    towns={"811 01": "Bratislava", "080 01": "Prešov"},
    street="Vzorová 12",
    dear="Vážený klient, {name},",
    dear_all="Vážený klient,",
    closing="S pozdravom {insurer}",
    reason="V predpise bol uvedený nesprávny dátum splatnosti.",
    said={
        "policy.text": (
            "Ďakujeme, že ste si poistenie uzavreli u nás. Táto poistka potvrdzuje uzavretie poistnej "
            "zmluvy a obsahuje jej "
            "najdôležitejšie údaje."
        ),
        "policy.covers": "Na čo sa poistenie vzťahuje",
        "policy.cover": "Krytie",
        "policy.limit": "Poistná suma",
        "policy.covered": "Škody na majetku|Ujma na zdraví|Právna ochrana",
        "policy.check": "Skontrolujte si, prosím, údaje v poistke. Nezrovnalosť nám oznámte do 15 dní.",
        "certificate.text": "Potvrdzujeme, že poistné bolo uhradené takto.",
        "certificate.year": "Obdobie",
        "certificate.paid": "Uhradené poistné",
        "certificate.state": "Stav platieb",
        "certificate.settled": "Bez nedoplatku",
        "certificate.fine": "Potvrdenie bolo vystavené na žiadosť a je platné bez podpisu.",
        "request.text": "Uhraďte, prosím, splatné poistné do uvedeného dátumu.",
        "request.heading": "Rozpis poistného",
        "request.item": "Položka",
        "request.amount": "Suma",
        "request.premium": "Poistné",
        "request.total": "Na úhradu",
        "request.due": "Dátum splatnosti",
        "request.instalment": "Poistné za {number}. štvrťrok, splatné {date}",
        "request.how": (
            "Zaplatiť môžete kartou alebo prevodom v časti Faktúry. Ak ste poistné už uhradili, "
            "považujte tento list za "
            "bezpredmetný."
        ),
        "next.text": "Oznamujeme vám výšku poistného na ďalšie poistné obdobie.",
        "next.year": "Poistné obdobie",
        "next.until": (
            "Ak nechcete v poistení pokračovať, zmluvu môžete písomne vypovedať najneskôr 6 týždňov pred výročným dňom."
        ),
        "ended.text": "Oznamujeme vám, že vaša poistná zmluva zanikla. Ďalšie poistné z nej nie je splatné.",
        "ended.keep": "Staršie listy nájdete naďalej v časti Korešpondencia.",
        "notice.text": (
            "Oznamujeme vám, že sa zmenili naše informácie o spracúvaní osobných údajov. Vašich zmlúv "
            "ani poistného sa zmena "
            "netýka."
        ),
        "notice.confirm": "Prečítanie listu, prosím, potvrďte v portáli.",
        "facts.number": "Číslo poistnej zmluvy",
        "facts.product": "Produkt",
        "facts.insured": "Predmet poistenia",
        "facts.premium": "Ročné poistné",
        "facts.frequency": "Frekvencia platenia",
        "facts.quarterly": "štvrťročne",
    },
)

_WORDS = {"hu": _HUNGARIAN, "sk": _SLOVAK}
LANGUAGES = tuple(_WORDS)
"""The languages in which there are letters."""


class Writer:
    """Writes letters in one insurer's name. Without a recipient a letter is the same for everybody."""

    def __init__(self, profile: Profile, language: str) -> None:
        self._language = language
        self._words = _WORDS[language]
        self._head = Letterhead.of(profile, language)

    @property
    def reason(self) -> str:
        """Why a letter was withdrawn."""
        return self._words.reason

    def policy(self, contract: Contract, to: Recipient | None = None) -> Paper:
        """Write the letter that proves a contract."""
        say = self._words.said
        limits = (self._money(1_000_000_00), self._money(500_000_00), self._money(20_000_00))
        covers = tuple(zip(say["policy.covered"].split("|"), limits, strict=True))
        return self._paper(
            "policy",
            to,
            Text(say["policy.text"]),
            Facts(self._facts(contract, to)),
            Heading(say["policy.covers"]),
            Sums((say["policy.cover"], say["policy.limit"]), covers),
            Text(say["policy.check"]),
        )

    def certificate(self, year: int, contract: Contract | None = None, to: Recipient | None = None) -> Paper:
        """Write that the premium of a year was paid."""
        say = self._words.said
        paid = self._words.premium if to else self._words.paid
        facts = (
            *(self._facts(contract, to)[:3] if contract else ()),
            (say["certificate.year"], str(year)),
            (say["certificate.paid"], self._money(paid)),
            (say["certificate.state"], say["certificate.settled"]),
        )
        return self._paper(
            "certificate", to, Text(say["certificate.text"]), Facts(facts), Fine(say["certificate.fine"])
        )

    def payment_request(self, due: date) -> Paper:
        """Ask everybody for a premium that is due."""
        amount = self._money(self._words.instalment)
        rows = ((self._words.said["request.premium"], amount),)
        return self._request(None, (), rows, amount, due)

    def instalments(self, contract: Contract, to: Recipient, dues: Sequence[date]) -> Paper:
        """Ask for the premium of a contract in four instalments."""
        line = self._words.said["request.instalment"]
        rows = tuple(
            (line.format(number=number, date=self._date(due)), self._money(self._words.instalment))
            for number, due in enumerate(dues, 1)
        )
        total = self._money(self._words.instalment * len(dues))
        return self._request(to, self._facts(contract, to)[:2], rows, total, dues[-1])

    def next_premium(self, contract: Contract, to: Recipient, year: int) -> Paper:
        """Tell the premium of the next year."""
        say = self._words.said
        facts = (*self._facts(contract, to), (say["next.year"], str(year)))
        return self._paper("premium_notice", to, Text(say["next.text"]), Facts(facts), Text(say["next.until"]))

    def ended(self) -> Paper:
        """Tell that a contract has ended."""
        return self._paper("notice", None, Text(self._words.said["ended.text"]), Text(self._words.said["ended.keep"]))

    def notice(self, to: Recipient) -> Paper:
        """Tell something that is to be confirmed."""
        return self._paper(
            "notice", to, Text(self._words.said["notice.text"]), Text(self._words.said["notice.confirm"])
        )

    def _request(
        self,
        to: Recipient | None,
        facts: Sequence[tuple[str, str]],
        rows: Sequence[tuple[str, str]],
        total: str,
        due: date,
    ) -> Paper:
        say = self._words.said
        return self._paper(
            "payment_request",
            to,
            Text(say["request.text"]),
            Facts((*facts, (say["request.due"], self._date(due)))),
            Heading(say["request.heading"]),
            Sums((say["request.item"], say["request.amount"]), tuple(rows), (say["request.total"], total)),
            Text(say["request.how"]),
        )

    def _facts(self, contract: Contract, to: Recipient | None) -> tuple[tuple[str, str], ...]:
        say, products = self._words.said, self._words.products
        product, insured = products.get(contract.product, products[""])
        own = ((say["facts.number"], contract.policy_number),) if to else ()
        return (
            *own,
            (say["facts.product"], product),
            (say["facts.insured"], insured),
            (say["facts.premium"], self._money(self._words.premium)),
            (say["facts.frequency"], say["facts.quarterly"]),
        )

    def _paper(self, kind: str, to: Recipient | None, *blocks: Block) -> Paper:
        words = self._words
        dear = words.dear.format(name=to.name) if to else words.dear_all
        address = (
            (to.name, words.street, f"{to.postal_code} {words.towns.get(to.postal_code, '')}".strip()) if to else ()
        )
        closing = words.closing.format(insurer=self._head.legal_name)
        return Paper(
            self._language, words.titles[kind], self._head, (Text(dear), *blocks, Text(closing)), recipient=address
        )

    def _money(self, amount: int) -> str:
        """Return an amount in words: forints as they are, of euros the cents."""
        is_euro = self._words.currency == "EUR"
        return format_currency(
            amount / 100 if is_euro else amount,
            self._words.currency,
            format=None if is_euro else "#,##0 ¤",
            locale=self._language,
            currency_digits=is_euro,
        )

    def _date(self, day: date) -> str:
        return format_date(day, "long", locale=self._language).replace(" ", _NO_BREAK)


def as_page(paper: Paper) -> Mapping[str, Any]:
    """Return what an insurer's system sends of a letter, so that it can be read as a page (P16).

    Paragraphs are under `text`, facts by their names, a table under its heading as a list of rows; what comes after a
    table is under a heading without words.
    """
    page: dict[str, Any] = {}
    part, heading = page, ""
    for block in paper.blocks:
        if isinstance(block, Heading):
            heading = block.text
        elif isinstance(block, Facts):
            part.update(block.rows)
        elif isinstance(block, Sums):
            rows = [*block.rows, *([block.total] if block.total else [])]
            page[heading] = [dict(zip(block.head, row, strict=True)) for row in rows]
            part = page[""] = {}
        elif isinstance(block, Text | Fine):
            part.setdefault("text", []).append(block.text)
    return page
