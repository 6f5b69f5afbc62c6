import { say } from './announcer.js'
import { onContent } from './content.js'
import { all, on } from './page.js'

// The box that accepts a document can be ticked once that document was opened.
onContent((root) => all('[data-locked]', root).forEach((box) => { box.disabled = true }))

const unlock = (name) => {
  const box = document.querySelector(`[data-locked=${name}]`)
  if (!box) return
  box.disabled = false
  delete box.dataset.locked
  const state = document.getElementById(name + '-state')
  state.querySelector('span').textContent = state.dataset.unlocked
  const picture = state.querySelector('use')
  picture.setAttribute('href', picture.getAttribute('href').replace('#lock', '#tick'))
  say(state.dataset.say)
}

// However the link is opened: by a click, in a new tab, from the menu.
for (const name of ['click', 'auxclick', 'contextmenu']) {
  on(name, ({ target }) => {
    const link = target.closest('[data-opens]')
    if (link) unlock(link.dataset.opens)
  })
}

// The error of a locked box leads to the document that unlocks it.
on('click', (event) => {
  const place = event.target.closest('#error-summary a')?.hash
  const box = place && document.querySelector(place + '[data-locked]')
  if (!box) return
  event.preventDefault()
  document.querySelector(`[data-opens=${box.dataset.locked}]`).focus()
})
