"""Sign-in and the customer's account: settings, password, passkeys, forgotten password, activation."""
