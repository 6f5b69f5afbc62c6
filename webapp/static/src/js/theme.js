import { on, page } from './page.js'

// The theme changes in place, so that what was typed and not sent yet stays.
on('submit', (event) => {
  const form = event.target
  if (!form.matches('.theme')) return
  event.preventDefault()
  const { name, value } = event.submitter
  const answer = new FormData(form)
  answer.append(name, value)
  fetch(form.action, { method: 'POST', body: new URLSearchParams(answer), redirect: 'manual' }).catch(() => {})
  page.dataset.theme = value
  form.querySelector('.to-' + (value === 'dark' ? 'light' : 'dark')).focus()
})
