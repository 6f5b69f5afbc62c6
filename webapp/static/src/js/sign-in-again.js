import { on } from './page.js'

// The form that was being filled in when the session ended asks for the sign-in itself, and keeps what was typed.
on('click', (event) => {
  if (!event.target.closest('[data-resume]')) return
  const form = document.querySelector('#main form:has([name=email], [name=mobile])')
  if (!form) return
  event.preventDefault()
  form.requestSubmit()
})
