import { say } from './announcer.js'
import { all, on } from './page.js'

// The button that shows the passwords of its form, and hides them again.
on('click', ({ target }) => {
  const button = target.closest('[data-shown]')
  if (!button) return
  const fields = all('[autocomplete$=password],[name$=password]', button.form)
  const show = fields[0].type === 'password'
  fields.forEach((field) => { field.type = show ? 'text' : 'password' })
  button.classList.toggle('on', show)
  button.querySelector('span').textContent = show ? button.dataset.hide : button.dataset.show
  say(show ? button.dataset.shown : button.dataset.hidden)
})
