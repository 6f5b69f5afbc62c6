import { on } from './page.js'

// Somebody who clicks everything twice is slower than the answer. The second click was meant for what is gone by then:
// it must neither take the focus from what has come nor press what happens to lie there. The mouse's own count tells it
// apart. Taps do not count: two that are quick and near look like one double tap, though each is meant.
let isNew = false
let byMouse
addEventListener('pointerdown', ({ pointerType }) => { byMouse = pointerType === 'mouse' }, true)
for (const name of ['mousedown', 'click']) {
  addEventListener(name, (event) => {
    if (!byMouse || event.detail < 2) isNew = false
    if (!isNew) return
    event.preventDefault()
    event.stopPropagation()
  }, true)
}
on('input', () => { isNew = false })
on('htmx:after:swap', ({ target }) => { if (target.id === 'main') isNew = true })
