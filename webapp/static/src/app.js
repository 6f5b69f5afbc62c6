// What the pages do better with a script. Everything works without it, and the server checks everything again.
// The build puts these files into one, in this order.
import './js/second-click.js'
import './js/countdown.js'
import './js/documents.js'
import './js/paste.js'
import './js/password-rules.js'
import './js/shown-password.js'
import './js/sign-in-again.js'
import './js/passkeys.js'
import './js/theme.js'
// After the others that answer `submit`: whether one of them has taken the form over makes the difference.
import './js/sending.js'
import './js/requests.js'
import './js/arrival.js'
