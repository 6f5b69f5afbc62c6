"""What is different where a browser runs no scripts, and why: all that journeys may ask after, by its name."""

WITHOUT_SCRIPTS = {
    "swaps": "Each step is a page of its own: its focus, its announcement, a line that breaks are the browser's.",
    "keyboard": "The focus comes to the skip link of each new page; Tab leads on from there.",
    "countdown": "The page names the time from which it is possible; who asks earlier is told so at the button.",
    "warning": "The end of the session, or of the hour to register in, stands on the page as a time of day.",
    "paste": "Pasting into the repetition is not seen; the server compares the two addresses.",
    "pasting a date": "A whole date does not fit into the field of the year; each part is typed or pasted by itself.",
    "rules of the password": "The rules stand beside the field, and are judged when the form is sent.",
    "show the password": "Nothing else turns a field of dots into one of letters, so there is no button for it.",
    "box of the terms": "Nothing could open a closed box, so it is open; the server asks whether the terms were.",
    "appearance": "Choosing it loads the page again, so what was typed and not sent is gone.",
    "pages that were kept": "Back may show a page as it was; the answer to what is sent from it shows what is due.",
    "passkeys": "Only a script can ask the device for one; the page says so, and the password does as well.",
    "live": "The page shows what was so when it was asked for; a link asks again where something is awaited.",
}
