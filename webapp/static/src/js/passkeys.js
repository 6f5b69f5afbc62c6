import { onContent } from './content.js'
import { on } from './page.js'

// What the browser is to ask its device stands in the page; the answer goes back with the form.
const keys = window.PublicKeyCredential
let pending
let busy
const useKey = async (form, mediation) => {
  if (busy) return
  busy = !mediation
  // The device answers one question at a time: what the browser offers beside the field gives way to the button.
  pending?.abort()
  pending = new AbortController()
  const { signal } = pending
  const place = document.getElementById('passkey-options')
  const error = form.querySelector('.error')
  let problem = form.dataset.stopped
  if (busy) error.hidden = true
  try {
    const options = JSON.parse(place.dataset.options)
    const key = options.user
      ? await navigator.credentials.create({ publicKey: keys.parseCreationOptionsFromJSON(options), signal })
      : await navigator.credentials.get({ publicKey: keys.parseRequestOptionsFromJSON(options), mediation, signal })
    const body = new URLSearchParams(new FormData(form))
    body.set('credential', JSON.stringify(key))
    const answer = await (await fetch(form.action, { method: 'POST', body })).json()
    if (answer.to) return location.assign(answer.to)
    problem = answer.error
    if (answer.options) place.dataset.options = answer.options
  } catch (trouble) {
    // A customer who did not ask for the passkey need not know that it was not taken.
    if (signal.aborted || (mediation && trouble instanceof DOMException)) return
    if (trouble.name === 'InvalidStateError') problem = form.dataset.present
  } finally {
    if (!mediation) busy = false
  }
  error.querySelector('span').textContent = problem
  error.hidden = false
  offerKey()
}

const offerKey = async () => {
  const form = document.querySelector('[data-passkey]:not([data-present])')
  if (form && await keys.isConditionalMediationAvailable?.()) useKey(form, 'conditional')
}

// Where no passkey can work, the page says why.
onContent(() => {
  const place = document.querySelector('[data-host]')
  if (!place) return
  const { host } = place.dataset
  const why = !keys?.parseCreationOptionsFromJSON ? 'unsupported'
    : ('.' + location.hostname).endsWith('.' + host) ? '' : 'elsewhere'
  if (!why) return offerKey()
  place.querySelector('.js').hidden = true
  place.querySelector('[data-why=' + why + ']').hidden = false
})

on('submit', (event) => {
  if (!event.target.matches('[data-passkey]')) return
  event.preventDefault()
  useKey(event.target)
})
