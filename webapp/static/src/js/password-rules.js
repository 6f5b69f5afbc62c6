import { sayLater } from './announcer.js'
import { on } from './page.js'

// The rules that can be judged here; the server judges these again, and the others.
const rules = {
  // The number stands in the text of the rule, in every language.
  length: (password, item) => [...password].length >= item.textContent.match(/\d+/)[0],
  upper: (password) => /\p{Lu}/u.test(password),
  lower: (password) => /\p{Ll}/u.test(password),
  digit: (password) => /\p{Nd}/u.test(password),
  no_special: (password) => /^[\p{L}\p{M}\p{N}]+$/u.test(password),
}

const judge = (field) => {
  const password = field.value.normalize('NFC')
  const list = field.form.querySelector('[data-some]')
  const { some, all: every, met, unmet, later } = list.dataset
  let count = 0
  for (const item of list.children) {
    const { rule } = item.dataset
    const [note, state] = ['.so-far', '.state'].map((place) => item.querySelector(place))
    note.textContent = ''
    if (rules[rule]) {
      const isMet = item.classList.toggle('met', rules[rule](password, item))
      state.textContent = ', ' + (isMet ? met : unmet)
      if (rule === 'length' && password) note.textContent = '(' + [...password].length + ')'
      count += isMet
    } else {
      // Only the server can tell, and what it has told was about the password before.
      item.classList.remove('met')
      state.textContent = ''
      note.textContent = '(' + later + ')'
    }
  }
  sayLater(count < list.children.length ? some.replace(99, count) : every)
}

on('input', ({ target }) => { if (target.matches('[aria-describedby~=rules]')) judge(target) })
