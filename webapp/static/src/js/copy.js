import { say } from './announcer.js'
import { on } from './page.js'

// The buttons that copy a text.
on('click', async ({ target }) => {
  const button = target.closest('[data-copy]')
  if (!button) return
  await navigator.clipboard.writeText(button.dataset.copy)
  say(button.dataset.copied)
})
