"""An insurer as data: one TOML file, checked and frozen when the server starts.

Nothing in here names an insurer; their files stand beside this one, a folder each.
"""

from services.profiles.loading import copy, default, find, known, load, short_name
from services.profiles.problems import ProfileError
from services.profiles.profile import (
    Brand,
    Datum,
    HolderType,
    Identification,
    Messages,
    Number,
    OneTimeCode,
    PasswordRules,
    Profile,
    Registration,
    SignIn,
)

__all__ = [
    "Brand",
    "Datum",
    "HolderType",
    "Identification",
    "Messages",
    "Number",
    "OneTimeCode",
    "PasswordRules",
    "Profile",
    "ProfileError",
    "Registration",
    "SignIn",
    "copy",
    "default",
    "find",
    "known",
    "load",
    "short_name",
]
