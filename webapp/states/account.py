"""The account: signing in, what stands in it, its changes, and the forgotten password."""

from webapp.states.catalogue import state
from webapp.states.walker import PASSWORD, Walker

_SIGN_IN, _ACCOUNT, _FORGOTTEN = "signing in", "the account", "the forgotten password"
_WRONG, _NEW = "Nem-ez-a-jelszo-1", "Zold3Kapu9Alma"


@state(_SIGN_IN)
def login(walker: Walker) -> None:
    """The form."""
    walker.get("/belepes")


@state(_SIGN_IN, status=422)
def login_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.get("/belepes")
    walker.send("login")


@state(_SIGN_IN, status=422)
def login_failed(walker: Walker) -> None:
    """The address or the password is not right."""
    walker.sign_in(_WRONG)


@state(_SIGN_IN, status=429)
def login_wait(walker: Walker) -> None:
    """So many tries failed that the next one has to wait."""
    for _ in range(6):
        walker.sign_in(_WRONG)


@state(_SIGN_IN)
def login_needed(walker: Walker) -> None:
    """A page of the account was asked for."""
    walker.get("/fiok/email")


@state(_SIGN_IN)
def signed_out(walker: Walker) -> None:
    """After signing out."""
    walker.open_account()
    walker.send("logout")


@state(_SIGN_IN, moves_clock=True, status=403)
def login_session_over(walker: Walker) -> None:
    """The session had ended when a form was sent; what was typed is kept."""
    walker.open_active_account()
    walker.get("/fiok/email")
    walker.wait(minutes=walker.parts.profile.sign_in.idle_minutes + 1)
    walker.send("email-change", email="uj.cim@example.hu", current_password=PASSWORD)


@state(_SIGN_IN, needs="terms")
def terms_update(walker: Walker) -> None:
    """The terms have changed since they were accepted."""
    _sign_in_after_new_terms(walker)


@state(_SIGN_IN, status=422, needs="terms")
def terms_update_not_opened(walker: Walker) -> None:
    """They are accepted without having been opened."""
    _sign_in_after_new_terms(walker)
    walker.send("terms-update", terms="1")


def _sign_in_after_new_terms(walker: Walker) -> None:
    walker.to("done")
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
        walker.wait(minutes=min(left, rules.idle_minutes - 1))
        walker.get("/fiok")
        left -= rules.idle_minutes - 1


@state(_SIGN_IN, lacks="email-sent")
def activation(walker: Walker) -> None:
    """The code from the mail is asked for at the first sign-in."""
    walker.open_account()


@state(_SIGN_IN, lacks="email-sent", status=422)
def activation_wrong(walker: Walker) -> None:
    """It is not the code."""
    walker.open_account()
    walker.send("activation", activation_code=walker.unlike(walker.activation_code()))


@state(_SIGN_IN, lacks="email-sent", moves_clock=True)
def activation_sent_again(walker: Walker) -> None:
    """Another code was mailed."""
    walker.open_account()
    walker.wait(seconds=61)
    walker.act("resend-email")


@state(_ACCOUNT)
def email_change(walker: Walker) -> None:
    """A new address is asked for."""
    walker.open_active_account()
    walker.get("/fiok/email")


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


@state(_ACCOUNT)
def email_change_sent(walker: Walker) -> None:
    """The mail to the new address has left."""
    email_change(walker)
    walker.send("email-change", email=f"uj.{walker.email}", current_password=PASSWORD)


@state(_ACCOUNT)
def email_confirm(walker: Walker) -> None:
    """The link to the new address was opened."""
    email_change_sent(walker)
    walker.get(walker.link(f"uj.{walker.email}"))


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
    walker.get(link)
    walker.send("email-confirm")
    walker.get(link)


@state(_ACCOUNT)
def mobile_change(walker: Walker) -> None:
    """A new number is asked for."""
    walker.open_active_account()
    walker.get("/fiok/mobil")


@state(_ACCOUNT, status=422)
def mobile_change_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    mobile_change(walker)
    walker.send("mobile-change")


@state(_ACCOUNT, moves_clock=True)
def mobile_code(walker: Walker) -> None:
    """The code to the new number has left."""
    mobile_change(walker)
    walker.wait(seconds=61)
    walker.send("mobile-change", mobile=walker.somebody().mobile, current_password=PASSWORD)


@state(_ACCOUNT, moves_clock=True, status=422)
def mobile_code_empty(walker: Walker) -> None:
    """No code was filled in."""
    mobile_code(walker)
    walker.send("mobile-code")


@state(_ACCOUNT)
def password_not_yet(walker: Walker) -> None:
    """The password was changed within the day."""
    walker.open_active_account()
    walker.get("/fiok/jelszo")


@state(_ACCOUNT, moves_clock=True)
def password_change(walker: Walker) -> None:
    """A new password is asked for."""
    walker.open_active_account()
    walker.wait(minutes=walker.parts.profile.password.change_hours * 60)
    walker.sign_in()
    walker.get("/fiok/jelszo")


@state(_ACCOUNT, moves_clock=True, status=422)
def password_change_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    password_change(walker)
    walker.send("password-change")


@state(_ACCOUNT, moves_clock=True)
def password_changed(walker: Walker) -> None:
    """The new password is in force."""
    password_change(walker)
    walker.send("password-change", current_password=PASSWORD, password=_NEW, password_confirm=_NEW)


@state(_ACCOUNT)
def passkey_password(walker: Walker) -> None:
    """Before a passkey is added the password is asked again."""
    walker.open_active_account()
    walker.get("/fiok/azonositokulcsok")


@state(_ACCOUNT)
def passkey_new(walker: Walker) -> None:
    """The browser is to make a passkey."""
    passkey_password(walker)
    walker.send("passkey", current_password=PASSWORD)


@state(_ACCOUNT)
def close(walker: Walker) -> None:
    """Whether the account is to be closed."""
    walker.open_active_account()
    walker.get("/fiok/megszuntetes")


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
    walker.get("/sso/ForgotPassword")


@state(_FORGOTTEN, status=422)
def forgot_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    walker.get("/sso/ForgotPassword")
    walker.send("forgot")


@state(_FORGOTTEN)
def forgot_sent(walker: Walker) -> None:
    """The mail has left, if there is such an account."""
    walker.open_active_account()
    walker.send("logout")
    walker.get("/sso/ForgotPassword")
    walker.send("forgot", email=walker.email)


@state(_FORGOTTEN)
def reset(walker: Walker) -> None:
    """The link was opened."""
    forgot_sent(walker)
    walker.get(walker.link())


@state(_FORGOTTEN, status=422)
def reset_weak(walker: Walker) -> None:
    """The new password keeps none of the rules."""
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
    walker.get(link)
