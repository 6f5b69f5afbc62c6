"""The registration: each step as it is met, refused, limited and over, and every end at which it cannot go on."""

import threading

from services import randomness
from services.staff.member import SUPERVISOR
from services.store.tables.register import customer_accounts
from services.values import identifiers
from webapp.demo.inbox import arrived
from webapp.demo.states.catalogue import state
from webapp.demo.states.console import find, order, record_identification, send_code
from webapp.demo.states.walker import PASSWORD, Walker

_STEPS, _ENDS = "registration", "dead ends"


@state(_STEPS)
def start(walker: Walker) -> None:
    """The page before the first step."""
    walker.visit("site.start")


@state(_STEPS)
def start_in_progress(walker: Walker) -> None:
    """The same while a registration is under way."""
    walker.walk_to("email")
    walker.visit("site.start")


@state(_STEPS)
def identify(walker: Walker) -> None:
    """The first step."""
    walker.visit()


@state(_STEPS, status=422)
def identify_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.visit()
    walker.send("identify")


@state(_STEPS, status=422)
def identify_malformed(walker: Walker) -> None:
    """Nothing has the form that it should have."""
    walker.visit()
    right = walker.customer.identification
    fields = dict.fromkeys(right, "13")
    kept = {name: text for name, text in right.items() if name in ("identifier_kind", "holder_type")}
    walker.send("identify", **fields | kept)


@state(_STEPS, asks="person", status=422)
def identify_person_empty(walker: Walker) -> None:
    """A person was chosen, and nothing was filled in."""
    walker.visit()
    walker.send("identify", holder_type="person")


@state(_STEPS, asks="company", status=422)
def identify_company_empty(walker: Walker) -> None:
    """A company was chosen, and nothing was filled in."""
    walker.visit()
    walker.send("identify", holder_type="company")


@state(_STEPS, asks="tax_number", status=422)
def identify_tax_number_mistyped(walker: Walker) -> None:
    """A digit of the tax number is not right."""
    walker.be(walker.cast.somebody("company"))
    fields = walker.customer.identification
    number = fields["tax_number"]
    walker.visit()
    walker.send("identify", **{**fields, "tax_number": number[:7] + walker.unlike(number[7]) + number[8:]})


@state(_STEPS, asks="birth_number", status=422)
def identify_birth_number_mistyped(walker: Walker) -> None:
    """A digit of the birth number is not right."""
    walker.visit()
    walker.send("identify", **walker.customer.identification | {"birth_number": "855314/0014"})


@state(_STEPS, asks="communication_id", status=422)
def identify_communication_id_empty(walker: Walker) -> None:
    """A communication id was chosen, and nothing was filled in."""
    walker.visit()
    walker.send("identify", holder_type="communication_id")


@state(_STEPS, asks="communication_id", status=422)
def identify_communication_id_malformed(walker: Walker) -> None:
    """It does not have the form of one."""
    _send_communication_id(walker, "13")


@state(_STEPS, asks="communication_id", status=422)
def identify_communication_id_mismatch(walker: Walker) -> None:
    """It is nobody's."""
    _send_communication_id(walker, f"K{randomness.digits(7)}")


@state(_STEPS, asks="communication_id", status=429)
def identify_communication_id_slowed(walker: Walker) -> None:
    """Too many wrong tries with one communication id."""
    communication_id = f"K{randomness.digits(7)}"
    for _ in range(walker.parts.profile.identification.wrong_tries + 1):
        _send_communication_id(walker, communication_id)


def _send_communication_id(walker: Walker, number: str) -> None:
    walker.visit()
    walker.send("identify", holder_type="communication_id", policy_number=number, communication_password=PASSWORD)


@state(_STEPS, asks="account_number", status=422)
def identify_account_number_empty(walker: Walker) -> None:
    """A customer account number was chosen, and not filled in."""
    _send_account_number(walker, "")


@state(_STEPS, asks="account_number", status=422)
def identify_account_number_malformed(walker: Walker) -> None:
    """It does not have the form of one."""
    _send_account_number(walker, "13")


@state(_STEPS, asks="account_number", status=422)
def identify_account_number_old(walker: Walker) -> None:
    """It is the one that the customer had before."""
    is_own = customer_accounts.c.manager != "intermediary"
    _send_account_number(walker, walker.cast.be_holder_of(customer_accounts.c.old_number, is_own))


@state(_STEPS, asks="account_number", status=422)
def identify_account_number_managed(walker: Walker) -> None:
    """An intermediary manages the customer's account."""
    is_managed = customer_accounts.c.manager == "intermediary"
    _send_account_number(walker, walker.cast.be_holder_of(customer_accounts.c.account_number, is_managed))


def _send_account_number(walker: Walker, number: str) -> None:
    fields = {**walker.customer.identification, "identifier_kind": "account_number"}
    fields[walker.parts.profile.identification.field] = number
    walker.visit()
    walker.send("identify", **fields)


@state(_STEPS, asks="birth_date", status=422)
def identify_birth_month_missing(walker: Walker) -> None:
    """Of the date of birth the month is missing."""
    _send_birth_date(walker, "1985", "", "14")


@state(_STEPS, asks="birth_date", status=422)
def identify_birth_date_impossible(walker: Walker) -> None:
    """There is no such day."""
    _send_birth_date(walker, "1985", "02", "30")


@state(_STEPS, asks="birth_date", status=422)
def identify_birth_date_future(walker: Walker) -> None:
    """The day is yet to come."""
    _send_birth_date(walker, "2985", "03", "14")


def _send_birth_date(walker: Walker, year: str, month: str, day: str) -> None:
    parts = {"birth_date": "", "birth_date__year": year, "birth_date__month": month, "birth_date__day": day}
    walker.visit()
    walker.send("identify", **walker.customer.identification | parts)


@state(_STEPS)
def invitation(walker: Walker) -> None:
    """The link of an invitation has filled in the number."""
    walker.open(_invite(walker))


@state(_STEPS)
def invitation_over(walker: Walker) -> None:
    """The link of an invitation is of no use any more."""
    walker.visit(meghivo="x")


@state(_STEPS)
def invitation_of_another(walker: Walker) -> None:
    """Another customer's invitation came while a registration is under way."""
    link = _invite(walker)
    walker.walk_to("email")
    walker.open(link)


@state(_STEPS)
def invitation_decline(walker: Walker) -> None:
    """Whether to decline invitations is asked."""
    walker.open(_invite(walker, walker.address_of("declining.show")))


@state(_STEPS)
def invitation_declined(walker: Walker) -> None:
    """Invitations have been declined."""
    walker.open(_invite(walker, walker.address_of("declining.show")))
    walker.send("invitation-decline")


@state(_STEPS, status=410)
def invitation_decline_dead(walker: Walker) -> None:
    """The link by which invitations are declined is of no use any more."""
    walker.visit("declining.show", token="x")


def _invite(walker: Walker, path: str = "meghivo=") -> str:
    """Have the first customer of the worklist invited, and return the mail's link with this in its address."""
    order(walker.another())
    pause = threading.Event()
    for _ in range(100):
        walker.parts.worklists.worker.finish()
        links = [link for message in arrived(walker.parts) for link in message["links"] if path in link]
        if links:
            return str(links[-1])
        pause.wait(0.1)  # the server's own worker is about it at this moment
    raise AssertionError("The invitation did not arrive.")


@state(_STEPS, status=422)
def identify_mismatch(walker: Walker) -> None:
    """All is well-formed, and nobody is found."""
    walker.visit()
    walker.send_others_data()


@state(_STEPS, status=429)
def identify_slowed(walker: Walker) -> None:
    """Too many wrong tries with one number."""
    walker.visit()
    walker.cast.spoilt.add(walker.customer.kutid)
    for _ in range(walker.parts.profile.identification.wrong_tries + 1):
        walker.send_others_data()


@state(_STEPS)
def email(walker: Walker) -> None:
    """Where the address is asked for."""
    walker.walk_to("email")


@state(_STEPS, status=422)
def email_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.walk_to("email")
    walker.send("email")


@state(_STEPS, status=422)
def email_malformed(walker: Walker) -> None:
    """It is no address, and the two differ."""
    walker.walk_to("email")
    walker.send("email", email="anna(kukac)example.hu", email_confirm="anna")


@state(_STEPS, status=422)
def email_no_such_domain(walker: Walker) -> None:
    """No mail can go to what stands after the @ sign."""
    walker.walk_to("email")
    walker.send("email", email="anna@example", email_confirm="anna@example")


@state(_STEPS, status=422)
def email_unreadable(walker: Walker) -> None:
    """It holds signs that came to harm on their way, and its repetition has no end."""
    walker.walk_to("email")
    walker.send("email", email="anna\N{REPLACEMENT CHARACTER}@example.hu", email_confirm="a" * 400)


@state(_STEPS, status=422)
def email_differs(walker: Walker) -> None:
    """It was not repeated."""
    walker.walk_to("email")
    walker.send("email", email=walker.email, email_confirm=f"a.{walker.email}")


@state(_STEPS, status=422)
def email_taken(walker: Walker) -> None:
    """Somebody else has an account with the address."""
    walker.open_account()
    taken = walker.email
    walker.forget()
    walker.be(walker.cast.somebody())
    walker.visit()
    walker.walk_to("email")
    walker.send("email", email=taken, email_confirm=taken)


@state(_STEPS, needs="email-sent")
def email_sent(walker: Walker) -> None:
    """The mail has left."""
    walker.walk_to("email-sent")


@state(_STEPS, needs="email-sent")
def email_sent_suggestion(walker: Walker) -> None:
    """The address looks mistyped."""
    walker.email = walker.email.replace("@example.hu", "@gmial.com")
    walker.walk_to("email-sent")


@state(_STEPS, needs="email-sent")
def email_sent_undelivered(walker: Walker) -> None:
    """The mail server has refused the mail for good."""
    walker.walk_to("email-sent")
    walker.have_mail_refused()
    walker.open(walker.path)


@state(_STEPS, needs="email-sent", status=422)
def email_sent_too_early(walker: Walker) -> None:
    """The mail is asked for again at once."""
    walker.walk_to("email-sent")
    walker.act("resend-email")


@state(_STEPS, needs="email-sent", moves_clock=True)
def email_sent_again(walker: Walker) -> None:
    """The mail has left again."""
    walker.walk_to("email-sent")
    walker.advance(seconds=61)
    walker.act("resend-email")


@state(_STEPS, needs="email-sent", moves_clock=True, status=429)
def email_too_many(walker: Walker) -> None:
    """The address has got as many mails as it may."""
    walker.walk_to("email-sent")
    for _ in range(walker.parts.profile.registration.mails_an_hour):
        walker.advance(seconds=61)
        walker.act("resend-email")


@state(_STEPS, needs="email-sent")
def email_continued_elsewhere(walker: Walker) -> None:
    """The window that waits, after the link was followed in another browser."""
    walker.walk_to("email-sent")
    another = walker.another()
    another.open(walker.link())
    another.take_step()
    walker.visit()


@state(_STEPS, needs="mobile")
def mobile(walker: Walker) -> None:
    """Where the mobile is asked for."""
    walker.walk_to("mobile")


@state(_STEPS, status=422, needs="mobile")
def mobile_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.walk_to("mobile")
    walker.send("mobile")


@state(_STEPS, by_staff=True)
def mobile_assisted(walker: Walker) -> None:
    """The same after staff have begun the registration with the customer."""
    staff = walker.another()
    staff.send("staff-code", sms_code=walker.code(send_code(staff)))
    walker.open(walker.link())


@state(_STEPS, status=422, needs="mobile")
def mobile_malformed(walker: Walker) -> None:
    """It is no number."""
    walker.walk_to("mobile")
    walker.send("mobile", mobile="20 1")


@state(_STEPS, status=422, needs="mobile")
def mobile_not_on_record(walker: Walker) -> None:
    """A number that is not the customer's."""
    walker.walk_to("mobile")
    example = walker.cast.somebody().mobile
    walker.send("mobile", mobile=identifiers.written(example))


@state(_STEPS, status=429, needs="mobile")
def mobile_wait(walker: Walker) -> None:
    """Too many numbers that are not the customer's."""
    walker.walk_to("mobile")
    walker.cast.spoilt.add(walker.customer.kutid)
    for _ in range(walker.parts.profile.one_time_code.numbers + 1):
        walker.send("mobile", mobile=identifiers.written(walker.cast.somebody().mobile))


@state(_STEPS)
def sms_code(walker: Walker) -> None:
    """The code has left."""
    walker.walk_to("sms-code")


@state(_STEPS, status=422)
def sms_code_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.walk_to("sms-code")
    walker.send("sms-code")


@state(_STEPS, status=422)
def sms_code_malformed(walker: Walker) -> None:
    """It does not have the form of a code."""
    walker.walk_to("sms-code")
    walker.send("sms-code", sms_code="1")


@state(_STEPS, status=422)
def sms_code_wrong(walker: Walker) -> None:
    """A code that is not the one."""
    _try_wrong_codes(walker, 1)


@state(_STEPS, status=422)
def sms_code_last_try(walker: Walker) -> None:
    """One try is left for this code."""
    _try_wrong_codes(walker, walker.parts.profile.one_time_code.tries - 1)


@state(_STEPS, status=422)
def sms_code_tried_out(walker: Walker) -> None:
    """No try is left for this code."""
    _try_wrong_codes(walker, walker.parts.profile.one_time_code.tries)


def _try_wrong_codes(walker: Walker, count: int) -> None:
    walker.walk_to("sms-code")
    for _ in range(count):
        walker.send("sms-code", sms_code=walker.wrong_code())


@state(_STEPS, status=422)
def sms_code_too_early(walker: Walker) -> None:
    """Another code is asked for at once; the first one has left."""
    walker.walk_to("sms-code")
    walker.code()
    walker.send("sms-resend")


@state(_STEPS, moves_clock=True)
def sms_code_sent_again(walker: Walker) -> None:
    """Another code has left."""
    walker.walk_to("sms-code")
    walker.advance(seconds=61)
    walker.send("sms-resend")


@state(_STEPS, moves_clock=True)
def sms_code_last(walker: Walker) -> None:
    """The last of the codes that a customer gets has left."""
    walker.walk_to("sms-code")
    for _ in range(walker.parts.profile.one_time_code.codes - 1):
        walker.code()  # a code that has not left would not count
        walker.advance(seconds=61)
        walker.send("sms-resend")


@state(_STEPS, moves_clock=True, status=422)
def sms_code_last_again(walker: Walker) -> None:
    """After the last one the button is pressed once more, on the page before."""
    sms_code_last(walker)
    walker.back()
    walker.send("sms-resend")


@state(_STEPS, moves_clock=True)
def sms_code_elsewhere(walker: Walker) -> None:
    """A code for another browser has replaced this one's."""
    _ask_elsewhere(walker)
    walker.open(walker.path)


@state(_STEPS, moves_clock=True, status=422)
def sms_code_replaced(walker: Walker) -> None:
    """This one's code is tried all the same."""
    code = _ask_elsewhere(walker)
    walker.send("sms-code", sms_code=code)


@state(_STEPS, needs="sms-code email-sent", moves_clock=True, status=422)
def sms_code_used(walker: Walker) -> None:
    """Two browsers have followed the link and lack the mobile; the code was used in the other one."""
    walker.walk_to("email-sent")
    link, other, this = walker.link(), walker.another(), walker.another()
    walker.advance(seconds=61)
    other.open(link)
    other.send("sms-resend")
    this.open(link)
    for one in (other, this):
        one.send("sms-code", sms_code=walker.code())
    walker.become(this)


def _ask_elsewhere(walker: Walker) -> str:
    """Come to the code, and come to it in another browser too; return this one's."""
    walker.walk_to("sms-code")
    code = walker.code()
    walker.advance(seconds=61)
    walker.another().walk_to("sms-code")
    return code


@state(_STEPS, moves_clock=True, status=422)
def sms_code_expired(walker: Walker) -> None:
    """The code is tried after its time."""
    walker.walk_to("sms-code")
    code = walker.code()
    walker.advance(minutes=walker.parts.profile.one_time_code.minutes + 1)
    walker.send("sms-code", sms_code=code)


@state(_STEPS)
def sms_code_undelivered(walker: Walker) -> None:
    """The text message could not be delivered; it does not count."""
    walker.walk_to("sms-code")
    with walker.parts.store.write() as connection:
        walker.parts.codes.one_time_codes.give_back(connection, walker.customer.kutid)
    walker.open(walker.path)


@state(_STEPS, needs="consents")
def consents(walker: Walker) -> None:
    """The statements."""
    walker.walk_to("consents")


@state(_STEPS, status=422, needs="consents")
def consents_empty(walker: Walker) -> None:
    """None was made."""
    walker.walk_to("consents")
    walker.send("consents")


@state(_STEPS, needs="terms")
def terms(walker: Walker) -> None:
    """The terms, not opened yet."""
    walker.walk_to("terms")


@state(_STEPS, needs="terms", status=422)
def terms_not_opened(walker: Walker) -> None:
    """Accepted without having been opened."""
    walker.walk_to("terms")
    walker.send("terms", terms="1")


@state(_STEPS, needs="terms")
def terms_opened(walker: Walker) -> None:
    """They were opened."""
    walker.walk_to("terms")
    walker.open_document("terms")
    walker.open(walker.path)


@state(_STEPS, needs="terms", status=422)
def terms_not_ticked(walker: Walker) -> None:
    """Opened and not accepted."""
    walker.walk_to("terms")
    walker.open_document("terms")
    walker.send("terms")


@state(_STEPS)
def password(walker: Walker) -> None:
    """Where the password is chosen."""
    walker.walk_to("password")


@state(_STEPS, status=422)
def password_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.walk_to("password")
    walker.send("password")


@state(_STEPS, status=422)
def password_weak(walker: Walker) -> None:
    """It breaks several rules at once, and its repetition differs."""
    walker.walk_to("password")
    walker.send("password", password="jelszo", password_confirm="jelszó")


@state(_STEPS, status=422)
def password_too_short(walker: Walker) -> None:
    """It is too short."""
    walker.walk_to("password")
    walker.send("password", password="Ab1", password_confirm="Ab1")


@state(_STEPS, status=422)
def password_common(walker: Walker) -> None:
    """It keeps the rules and stands on every attacker's list."""
    walker.walk_to("password")
    walker.send("password", password="Password123!", password_confirm="Password123!")


@state(_STEPS, moves_clock=True)
def password_warning(walker: Walker) -> None:
    """The hour is nearly over."""
    walker.walk_to("password")
    rules = walker.parts.profile.registration
    walker.advance(minutes=rules.minutes - rules.warning_minutes)
    walker.open(walker.path)


@state(_STEPS)
def done(walker: Walker) -> None:
    """The account is open."""
    walker.walk_to("done")


@state(_STEPS, needs="terms", status=422)
def terms_replaced(walker: Walker) -> None:
    """There are new terms since they were opened. The last of the steps: all that come after it see them too."""
    walker.walk_to("terms")
    walker.open_document("terms")
    walker.publish_terms()
    walker.send("terms", terms="1")


# --- Where it cannot go on ----------------------------------------------------------------------------------------


@state(_ENDS, status=422)
def no_mobile(walker: Walker) -> None:
    """Identified, and no mobile is on record (M12); where the mobile is part of what is asked it does not match."""
    holder = next(iter(walker.parts.profile.identification.asks))
    walker.be(walker.cast.somebody(holder, has_mobile=False))
    walker.visit()
    walker.send("identify", **walker.customer.identification | {"mobile": "+36 20 123 4567"})


@state(_ENDS, status=409)
def already_registered(walker: Walker) -> None:
    """Identified, and there is an account already."""
    walker.walk_to("done")
    walker.forget()
    walker.visit()
    walker.take_step()


@state(_ENDS, status=404)
def link_unknown(walker: Walker) -> None:
    """The link is not one of ours."""
    walker.visit("registration.second_half", token="x")


@state(_ENDS, needs="email-sent", moves_clock=True, status=410)
def link_expired(walker: Walker) -> None:
    """The link is opened after its hour."""
    walker.walk_to("email-sent")
    link = walker.link()
    walker.advance(minutes=walker.parts.profile.registration.minutes + 1)
    walker.open(link)


@state(_ENDS, needs="email-sent", status=410)
def link_completed(walker: Walker) -> None:
    """The link is opened in another browser after the registration."""
    walker.walk_to("email-sent")
    link = walker.link()
    walker.walk_to("done")
    walker.forget()
    walker.open(link)


@state(_ENDS, moves_clock=True, status=410)
def time_over(walker: Walker) -> None:
    """A form is sent after the hour."""
    walker.walk_to("email")
    walker.advance(minutes=24 * 60)
    walker.take_step()


@state(_ENDS, status=410)
def ended_by_staff(walker: Walker) -> None:
    """Customer service has ended it."""
    walker.walk_to("sms-code")
    staff = walker.another()
    find(staff, SUPERVISOR)
    record_identification(staff)
    staff.act("end", reason="Más címet szeretne")
    walker.visit()


@state(_ENDS, moves_clock=True, status=403)
def codes_used_up(walker: Walker) -> None:
    """All codes and all tries are used up."""
    walker.walk_to("sms-code")
    rules = walker.parts.profile.one_time_code
    for number in range(rules.codes):
        if number:
            walker.advance(seconds=61)
            walker.open(walker.path)
            walker.send("sms-resend")
        for _ in range(rules.tries):
            walker.send("sms-code", sms_code=walker.wrong_code())


@state(_ENDS, status=400)
def form_too_old(walker: Walker) -> None:
    """The form was made for a browser session that is over."""
    walker.visit()
    walker.send("identify", csrf_token="x")


@state(_ENDS, status=400)
def not_understood(walker: Walker) -> None:
    """What the browser asked for cannot be understood."""
    walker.visit("demo.fault", status=400)


@state(_ENDS, status=403)
def forbidden(walker: Walker) -> None:
    """It is not for this visitor."""
    walker.visit("demo.fault", status=403)


@state(_ENDS, status=405)
def not_done_here(walker: Walker) -> None:
    """A form was sent to a page that takes none."""
    walker.visit("demo.fault", status=405)


@state(_ENDS, status=413)
def too_large(walker: Walker) -> None:
    """More was sent than any form holds."""
    walker.visit("demo.fault", status=413)


@state(_ENDS, status=404)
def not_found(walker: Walker) -> None:
    """There is no such page."""
    walker.open("/nincs-ilyen")


@state(_ENDS, status=429)
def too_many_requests(walker: Walker) -> None:
    """One address asks for more pages than people do."""
    walker.visit("demo.fault", status=429)


@state(_ENDS, status=500)
def fault(walker: Walker) -> None:
    """Something broke on our side."""
    walker.visit("demo.fault", status=500)


@state(_ENDS, status=503)
def unavailable(walker: Walker) -> None:
    """The database does not answer."""
    walker.visit("demo.fault", status=503)


@state(_ENDS)
def internet_explorer(walker: Walker) -> None:
    """A browser that does not know what the pages need."""
    walker.headers["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"
    walker.visit("site.start")
