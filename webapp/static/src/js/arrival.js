import { say } from './announcer.js'
import { enhance } from './content.js'
import { on } from './page.js'

on('DOMContentLoaded', () => enhance(document))

// What a swap has brought is told, made ready, and given the focus.
on('htmx:after:swap', ({ target }) => {
  if (target === document) return
  const message = target.matches('[data-say]') ? target : target.querySelector('.note[data-say]')
  if (message) say(message.dataset.say)
  enhance(target)
  const arrival = document.querySelector('[data-focus]')
  if (arrival) {
    delete arrival.dataset.focus
    arrival.focus()
  }
})

// A page from the back-forward cache shows a step that may be over.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload() })
