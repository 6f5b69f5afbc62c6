"""The account: signing in, what stands in it, its changes, and the forgotten password."""

from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import PASSWORD, Walker

_SIGN_IN, _ACCOUNT, _FORGOTTEN = "signing in", "the account", "the forgotten password"
_WRONG, _NEW = "Nem-ez-a-jelszo-1", "Zold3Kapu9Alma"


@state(_SIGN_IN)
def login(walker: Walker) -> None:
    """The form."""
    walker.visit("sign_in.show")


@state(_SIGN_IN, status=422)
def login_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.visit("sign_in.show")
    walker.send("login")


@state(_SIGN_IN, status=422)
def login_failed(walker: Walker) -> None:
    """The address or the password is not right."""
    walker.sign_in(password=_WRONG)


@state(_SIGN_IN, status=429)
def login_wait(walker: Walker) -> None:
    """So many tries failed that the next one has to wait."""
    for _ in range(6):
        walker.sign_in(password=_WRONG)


@state(_SIGN_IN)
def login_needed(walker: Walker) -> None:
    """A page of the account was asked for."""
    walker.visit("email.show")


@state(_SIGN_IN)
def signed_out(walker: Walker) -> None:
    """After signing out."""
    walker.open_account()
    walker.send("logout")


@state(_SIGN_IN, moves_clock=True, status=403)
def login_session_over(walker: Walker) -> None:
    """The session had ended when a form was sent; what was typed is kept."""
    walker.open_active_account()
    walker.visit("email.show")
    walker.advance(minutes=walker.parts.profile.sign_in.idle_minutes + 1)
    walker.send("email-change", email="uj.cim@example.hu", current_password=PASSWORD)


@state(_SIGN_IN)
def login_ended_elsewhere(walker: Walker) -> None:
    """The session was ended on another device."""
    walker.open_active_account()
    another = walker.another()
    another.sign_in()
    another.visit("account.overview")
    another.act("end-others")
    walker.visit("account.overview")


@state(_SIGN_IN, moves_clock=True)
def login_ended_idle(walker: Walker) -> None:
    """The session ended because nothing had happened for a while."""
    walker.open_active_account()
    walker.advance(minutes=walker.parts.profile.sign_in.idle_minutes + 1)
    walker.visit("account.overview")


@state(_SIGN_IN, moves_clock=True)
def login_ended_absolute(walker: Walker) -> None:
    """The session ended because it had lasted so long."""
    account_session_ends(walker)
    walker.advance(minutes=walker.parts.profile.sign_in.warning_minutes)
    walker.visit("account.overview")


@state(_SIGN_IN, needs="terms")
def terms_update(walker: Walker) -> None:
    """The terms have changed since they were accepted."""
    _sign_in_after_new_terms(walker)


@state(_SIGN_IN, status=422, needs="terms")
def terms_update_not_opened(walker: Walker) -> None:
    """They are accepted without having been opened."""
    _sign_in_after_new_terms(walker)
    walker.send("terms-update", terms="1")


@state(_SIGN_IN, status=422, needs="terms")
def terms_update_not_ticked(walker: Walker) -> None:
    """Opened and not accepted."""
    _sign_in_after_new_terms(walker)
    walker.open_document("terms")
    walker.send("terms-update")


@state(_SIGN_IN, status=422, needs="terms")
def terms_update_replaced(walker: Walker) -> None:
    """They have changed once more since they were opened."""
    _sign_in_after_new_terms(walker)
    walker.open_document("terms")
    walker.publish_terms()
    walker.send("terms-update", terms="1")


def _sign_in_after_new_terms(walker: Walker) -> None:
    walker.walk_to("done")
    walker.publish_terms()
    walker.sign_in()


@state(_ACCOUNT)
def account(walker: Walker) -> None:
    """The first page after signing in."""
    walker.open_account()


@state(_ACCOUNT, moves_clock=True)
def account_session_ends(walker: Walker) -> None:
    """The session is nearly over, however busy it is."""
    walker.open_active_account()
    rules = walker.parts.profile.sign_in
    left = rules.hours * 60 - rules.warning_minutes + 1
    while left > 0:
        walker.advance(minutes=min(left, rules.idle_minutes - 1))
        walker.visit("account.overview")
        left -= rules.idle_minutes - 1


@state(_SIGN_IN, needs="activation")
def activation(walker: Walker) -> None:
    """The code from the mail is asked for at the first sign-in."""
    walker.open_account()


@state(_SIGN_IN, needs="activation", status=422)
def activation_wrong(walker: Walker) -> None:
    """It is not the code."""
    walker.open_account()
    walker.send("activation", activation_code=walker.unlike(walker.activation_code()))


@state(_SIGN_IN, needs="activation", status=422)
def activation_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.open_account()
    walker.send("activation")


@state(_SIGN_IN, needs="activation", status=422)
def activation_malformed(walker: Walker) -> None:
    """It does not have the form of a code."""
    walker.open_account()
    walker.send("activation", activation_code="1")


@state(_SIGN_IN, needs="activation", status=429)
def activation_too_many(walker: Walker) -> None:
    """Too many codes were not the one."""
    walker.open_account()
    wrong = walker.unlike(walker.activation_code())
    for _ in range(walker.parts.profile.one_time_code.guesses + 1):
        walker.send("activation", activation_code=wrong)


@state(_SIGN_IN, needs="activation", status=422)
def activation_too_early(walker: Walker) -> None:
    """Another code is asked for at once."""
    walker.open_account()
    walker.act("resend-email")


@state(_SIGN_IN, needs="activation")
def activated(walker: Walker) -> None:
    """The account is active."""
    walker.open_active_account()


@state(_SIGN_IN, needs="activation", moves_clock=True)
def activation_sent_again(walker: Walker) -> None:
    """Another code was mailed."""
    walker.open_account()
    walker.advance(seconds=61)
    walker.act("resend-email")


@state(_ACCOUNT)
def account_session_extended(walker: Walker) -> None:
    """The session was prolonged."""
    walker.open_active_account()
    walker.send_to(walker.address_of("sign_in.stay"))


@state(_ACCOUNT)
def account_sessions(walker: Walker) -> None:
    """The customer is signed in on another device too."""
    walker.open_active_account()
    walker.another().sign_in()
    walker.visit("account.overview")


@state(_ACCOUNT)
def account_sessions_ended(walker: Walker) -> None:
    """The other device was signed out."""
    account_sessions(walker)
    walker.act("end-others")


@state(_ACCOUNT)
def email_change(walker: Walker) -> None:
    """A new address is asked for."""
    walker.open_active_account()
    walker.visit("email.show")


@state(_ACCOUNT, status=422)
def email_change_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    email_change(walker)
    walker.send("email-change")


@state(_ACCOUNT, status=422)
def email_change_wrong_password(walker: Walker) -> None:
    """The present password is not right."""
    email_change(walker)
    walker.send("email-change", email=f"uj.{walker.email}", current_password=_WRONG)


@state(_ACCOUNT, status=429)
def email_change_wait(walker: Walker) -> None:
    """It was not right so often that the next try has to wait."""
    email_change(walker)
    for _ in range(walker.parts.profile.sign_in.tries + 1):
        walker.send("email-change", email=f"uj.{walker.email}", current_password=_WRONG)


@state(_ACCOUNT, status=422)
def email_change_same(walker: Walker) -> None:
    """It is the present address."""
    email_change(walker)
    walker.send("email-change", email=walker.email, current_password=PASSWORD)


@state(_ACCOUNT)
def email_change_sent(walker: Walker) -> None:
    """The mail to the new address has left."""
    email_change(walker)
    walker.send("email-change", email=f"uj.{walker.email}", current_password=PASSWORD)


@state(_ACCOUNT)
def email_confirm(walker: Walker) -> None:
    """The link to the new address was opened."""
    email_change_sent(walker)
    walker.open(walker.link(f"uj.{walker.email}"))


@state(_ACCOUNT, status=422)
def email_confirm_taken(walker: Walker) -> None:
    """Meanwhile somebody else has opened an account with it."""
    email_confirm(walker)
    somebody = walker.another()
    somebody.be(walker.cast.somebody())
    somebody.email = f"uj.{walker.email}"
    somebody.walk_to("done")
    walker.send("email-confirm")


@state(_ACCOUNT)
def email_changed(walker: Walker) -> None:
    """The new address is confirmed."""
    email_confirm(walker)
    walker.send("email-confirm")


@state(_ACCOUNT, status=410)
def email_link_dead(walker: Walker) -> None:
    """The link was used before."""
    email_change_sent(walker)
    link = walker.link(f"uj.{walker.email}")
    walker.open(link)
    walker.send("email-confirm")
    walker.open(link)


@state(_ACCOUNT)
def mobile_change(walker: Walker) -> None:
    """A new number is asked for."""
    walker.open_active_account()
    walker.visit("mobile.show")


@state(_ACCOUNT, status=422)
def mobile_change_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    mobile_change(walker)
    walker.send("mobile-change")


@state(_ACCOUNT, status=422)
def mobile_change_same(walker: Walker) -> None:
    """It is the present number."""
    mobile_change(walker)
    walker.send("mobile-change", mobile=walker.customer.mobile, current_password=PASSWORD)


@state(_ACCOUNT, status=422)
def mobile_change_landline(walker: Walker) -> None:
    """It is no mobile."""
    mobile_change(walker)
    walker.send("mobile-change", mobile=walker.parts.profile.contact.phone, current_password=PASSWORD)


@state(_ACCOUNT, status=422)
def mobile_change_foreign(walker: Walker) -> None:
    """It is a number of another country."""
    mobile_change(walker)
    walker.send("mobile-change", mobile="+43 664 1234567", current_password=PASSWORD)


@state(_ACCOUNT, moves_clock=True)
def mobile_code(walker: Walker) -> None:
    """The code to the new number has left."""
    _ask_for_code(walker)


@state(_ACCOUNT, moves_clock=True, status=422)
def mobile_code_empty(walker: Walker) -> None:
    """No code was filled in."""
    mobile_code(walker)
    walker.send("mobile-code")


@state(_ACCOUNT, moves_clock=True, status=422)
def mobile_code_wrong(walker: Walker) -> None:
    """A code that is not the one."""
    _try_wrong_codes(walker, 1)


@state(_ACCOUNT, moves_clock=True, status=422)
def mobile_code_tried_out(walker: Walker) -> None:
    """No try is left for this code."""
    _try_wrong_codes(walker, walker.parts.profile.one_time_code.tries)


@state(_ACCOUNT, moves_clock=True, status=422)
def mobile_code_expired(walker: Walker) -> None:
    """The code is tried after its time."""
    code = walker.code(_ask_for_code(walker))
    left = walker.parts.profile.one_time_code.minutes + 1
    while left > 0:
        minutes = min(left, walker.parts.profile.sign_in.idle_minutes - 1)
        walker.advance(minutes=minutes)
        left -= minutes
        walker.visit("account.overview")  # or the session would be over, too
        walker.back()
    walker.send("mobile-code", sms_code=code)


@state(_ACCOUNT, moves_clock=True)
def mobile_code_undelivered(walker: Walker) -> None:
    """The text message could not be delivered; it does not count."""
    _ask_for_code(walker)
    with walker.parts.store.write() as connection:
        walker.parts.codes.one_time_codes.give_back(connection, walker.customer.kutid)
    walker.open(walker.path)


@state(_ACCOUNT, moves_clock=True, status=422)
def mobile_code_too_early(walker: Walker) -> None:
    """Another code is asked for at once; the first one has left."""
    walker.code(_ask_for_code(walker))
    walker.send("sms-resend")


@state(_ACCOUNT, moves_clock=True)
def mobile_code_sent_again(walker: Walker) -> None:
    """Another code has left."""
    walker.code(_ask_for_code(walker))
    walker.advance(seconds=61)
    walker.send("sms-resend")


@state(_ACCOUNT, moves_clock=True, status=403)
def mobile_codes_used_up(walker: Walker) -> None:
    """All codes and all tries are used up."""
    rules = walker.parts.profile.one_time_code
    mobile = _try_wrong_codes(walker, rules.tries)
    for _ in range(rules.codes - 2):  # the registration's own was the first
        walker.advance(seconds=61)
        walker.send("sms-resend")
        for _ in range(rules.tries):
            walker.send("mobile-code", sms_code=walker.wrong_code(mobile))


@state(_ACCOUNT, moves_clock=True)
def mobile_changed(walker: Walker) -> None:
    """The new number is confirmed."""
    walker.send("mobile-code", sms_code=walker.code(_ask_for_code(walker)))


def _ask_for_code(walker: Walker) -> str:
    """Ask for a new number, and return it."""
    mobile_change(walker)
    walker.advance(seconds=61)
    mobile = walker.cast.somebody().mobile
    walker.send("mobile-change", mobile=mobile, current_password=PASSWORD)
    return mobile


def _try_wrong_codes(walker: Walker, count: int) -> str:
    mobile = _ask_for_code(walker)
    for _ in range(count):
        walker.send("mobile-code", sms_code=walker.wrong_code(mobile))
    return mobile


@state(_ACCOUNT)
def password_not_yet(walker: Walker) -> None:
    """The password was changed within the day."""
    walker.open_active_account()
    walker.visit("password.show")


@state(_ACCOUNT, moves_clock=True)
def password_change(walker: Walker) -> None:
    """A new password is asked for."""
    walker.open_active_account()
    walker.advance(minutes=walker.parts.profile.password.change_hours * 60)
    walker.sign_in()
    walker.visit("password.show")


@state(_ACCOUNT, moves_clock=True, status=422)
def password_change_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    password_change(walker)
    walker.send("password-change")


@state(_ACCOUNT, moves_clock=True, status=422)
def password_change_same(walker: Walker) -> None:
    """It is the present one."""
    password_change(walker)
    walker.send("password-change", current_password=PASSWORD, password=PASSWORD, password_confirm=PASSWORD)


@state(_ACCOUNT, status=422)
def password_too_soon(walker: Walker) -> None:
    """The form is sent all the same."""
    password_not_yet(walker)
    walker.send("password-change", current_password=PASSWORD, password=_NEW, password_confirm=_NEW)


@state(_ACCOUNT, moves_clock=True)
def password_changed(walker: Walker) -> None:
    """The new password is in force."""
    password_change(walker)
    walker.send("password-change", current_password=PASSWORD, password=_NEW, password_confirm=_NEW)


@state(_ACCOUNT)
def passkey_password(walker: Walker) -> None:
    """Before a passkey is added the password is asked again."""
    walker.open_active_account()
    walker.visit("passkeys.password")


@state(_ACCOUNT)
def passkey_new(walker: Walker) -> None:
    """The browser is to make a passkey."""
    passkey_password(walker)
    walker.send("passkey", current_password=PASSWORD)


@state(_ACCOUNT)
def passkey_stopped(walker: Walker) -> None:
    """What the browser has made is no passkey."""
    passkey_new(walker)
    walker.send("passkey-new", name="Kulcs", credential="x")
    walker.visit("passkeys.password")


@state(_ACCOUNT)
def close(walker: Walker) -> None:
    """Whether the account is to be closed."""
    walker.open_active_account()
    walker.visit("closing.show")


@state(_ACCOUNT, status=422)
def close_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    close(walker)
    walker.send("close")


@state(_ACCOUNT)
def closed(walker: Walker) -> None:
    """The account is closed."""
    close(walker)
    walker.send("close", confirm="1", current_password=PASSWORD)


@state(_FORGOTTEN)
def forgot(walker: Walker) -> None:
    """The address is asked for."""
    walker.visit("forgotten_password.forgot")


@state(_FORGOTTEN, status=422)
def forgot_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.visit("forgotten_password.forgot")
    walker.send("forgot")


@state(_FORGOTTEN)
def forgot_sent(walker: Walker) -> None:
    """The mail has left, if there is such an account."""
    walker.open_active_account()
    walker.send("logout")
    walker.visit("forgotten_password.forgot")
    walker.send("forgot", email=walker.email)


@state(_FORGOTTEN)
def reset(walker: Walker) -> None:
    """The link was opened."""
    forgot_sent(walker)
    walker.open(walker.link())


@state(_FORGOTTEN, status=422)
def reset_weak(walker: Walker) -> None:
    """The new password breaks several rules at once, and its repetition differs."""
    reset(walker)
    walker.send("reset", password="jelszo", password_confirm="jelszó")


@state(_FORGOTTEN)
def reset_done(walker: Walker) -> None:
    """The new password is in force."""
    reset(walker)
    walker.send("reset", password=_NEW, password_confirm=_NEW)


@state(_FORGOTTEN, status=410)
def reset_dead(walker: Walker) -> None:
    """The link was used before."""
    reset(walker)
    link = walker.link()
    walker.send("reset", password=_NEW, password_confirm=_NEW)
    walker.open(link)
