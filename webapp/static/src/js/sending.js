import { all, on } from './page.js'

on('submit', (event) => {
  const form = event.target
  if (!event.defaultPrevented) {
    // The browser sends it: once is enough. After a while it may be sent again, should the answer never come.
    if (form.dataset.sent) event.preventDefault()
    form.dataset.sent = 1
    setTimeout(() => { delete form.dataset.sent }, 8000)
  } else {
    // A password shown is hidden before it is sent, so that browsers offer to save it and do not remember it as a text.
    all('[autocomplete=new-password]', form).forEach((field) => { field.type = 'password' })
  }
})
