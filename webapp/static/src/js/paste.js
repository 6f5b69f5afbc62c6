import { say } from './announcer.js'
import { all, on } from './page.js'

// The repetition of the address is to be typed, so that a slip comes to light. Autofill is not pasting.
const refuse = (event) => {
  if (!event.target.matches('[data-typed]')) return
  event.preventDefault()
  const reason = event.target.parentElement.querySelector('[data-refused]')
  reason.hidden = false
  say(reason.dataset.refused)
}
on('drop', refuse)
on('paste', refuse)

// A whole date, year first, goes into its three fields.
on('paste', (event) => {
  const parts = /^\s*(\d{4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,2})\D*$/.exec(event.clipboardData?.getData('text'))
  const date = event.target.closest('[data-date]')
  if (!parts || !date) return
  event.preventDefault()
  all('input', date).forEach((field, i) => { field.value = parts[i + 1] })
})
