import { hush, sayLater } from './announcer.js'
import { on } from './page.js'

// What htmx could not do is said outside of the swapped part, and only for what the customer did: a form.
const trouble = (context, what) => {
  if (!context.sourceElement.matches('form')) return
  const place = document.getElementById('trouble')
  // An alert once there is something to say: a page has one alone.
  place.setAttribute('role', 'alert')
  place.textContent = place.dataset[what]
  place.hidden = false
  place.focus()
}

on('htmx:before:request', ({ detail }) => {
  if (!detail.ctx.sourceElement.matches('form')) return
  document.getElementById('trouble').hidden = true
  sayLater(document.getElementById('live').dataset.working)
})
on('htmx:finally:request', hush)
on('htmx:error', ({ detail }) => detail.ctx && trouble(detail.ctx, 'offline'))
on('htmx:before:swap', (event) => {
  const { ctx } = event.detail
  // Neither a fault of the server nor a stranger's page (a proxy's, a hotel's) takes the place of what was typed.
  if (ctx.response.status >= 500 || !/ id="(main|session)"/.test(ctx.text)) {
    event.preventDefault()
    trouble(ctx, 'fault')
  }
})
