"""The import of the insurer's register from CSV files: the only writer of customers, policies, phones and their ids.

The files, as insurers' systems export them
    UTF-8 (with or without BOM) or Windows-1250; `;`, `,`, `|` or a tab between values, which a first line such as
    `sep=;` may name; a header row, whose names are matched without case, accents, spaces and punctuation, in English
    or Hungarian (`policy_number`, `Kötvényszám`); other columns are passed over; quotes as in RFC 4180. Each file may
    be left out.

    customers           kutid, holder_type, name, birth_date, tax_number
                        [, postal_code, customer_number, birth_number, email]
    policies            policy_number, kutid, status [, product, ended_on, and what the portal shows of them:
                        account_number, title, insured, starts_on, anniversary, premium, currency, frequency,
                        paid_until, cover_until, end_reason]
    phones              kutid, policy_number, phone [, is_default]
    communication_ids   communication_id, kutid, password or password_hash (bcrypt)
    customer_accounts   account_number, kutid, manager [, old_number, intermediary]
    advisers            kutid, adviser (the code by which staff accounts name the adviser; empty: nobody any more)
    policy_rows         policy_number, section, label, value [, position, language]

    A number that customers type has the form that the profile demands of them. What spreadsheets make of numbers, such
    as `940000001.0` or `9,4E+08`, is refused. holder_type is person or company (`magánszemély`, `cég`, `egyéni
    vállalkozó`), status live or cancelled (`élő`, `törölt`). Dates are ISO, `1985.03.14.`, `1985/03/14` or `19850314`;
    a moment with its offset from UTC is a day of the profile's time zone, and one without is refused unless the day
    begins or ends with it. Phones are in any Hungarian spelling. A tax number has 8 or 11 digits, a Slovak one 10. A
    birth number is the Slovak one (`rodné číslo`); a Hungarian `személyi azonosító` is none. Postcodes may have their
    country before them, as in `H-1066` or `SK-811 01`. `is_default` is yes or no (`igen`, `nem`): the number that text
    messages go to. `manager` is customer or intermediary (`ügyfél`, `alkusz`), who then has a name. The columns in
    brackets may be missing: what the register has in them stays.

What a file says of those it does not mention: nothing. Files may be whole or hold only what changed
    Customers, policies, communication ids, customer accounts and advisers that are missing from a file stay. The phones
    of each customer who occurs in the phones file are replaced as a set, so that a number that is gone receives no more
    codes; a row with an empty phone says that the customer has none. A phone that cannot be read is refused and
    still counts as an occurrence. A policy that passes to another customer loses the phones that its former
    holder had on it. The rows of each policy that occurs in its file are replaced as a set in the same way.

Refused rows go to the rejects with line, KÜTID, field, reason and the forms that are accepted, and the others are
imported. A file of which every row is refused, or which has none, ends the import: nothing is imported then. Of two
rows with the same key the first counts. A second datum that is missing, or a wrong check digit, never refuses a
customer: the report counts them. A birth date of a company, a tax number of a person, a birth number, a postcode or an
email address that is unsound is left out: the register has none then, and the report counts it. So is whatever the
portal alone shows of a policy.
"""

from services.register.importing.failures import (
    DatabaseFailed,
    ImportFailed,
    RegisterBusy,
    TooManyRejects,
    UnusableFile,
)
from services.register.importing.importer import RegisterImport
from services.register.importing.report import FileReport, Finding, ImportReport, Quality

__all__ = [
    "DatabaseFailed",
    "FileReport",
    "Finding",
    "ImportFailed",
    "ImportReport",
    "Quality",
    "RegisterBusy",
    "RegisterImport",
    "TooManyRejects",
    "UnusableFile",
]
