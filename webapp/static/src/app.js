// What the pages do better with a script. Everything works without it, and the server checks everything again.
(() => {
  'use strict'
  const page = document.documentElement
  page.classList.add('js')

  const all = (selector, root = document) => root.querySelectorAll(selector)
  const on = (name, listener) => document.addEventListener(name, listener)

  // One polite live region, outside of what is swapped. A text that repeats itself is spoken again; of two at once both are.
  let speaking
  let texts = []
  const say = (text) => {
    const live = document.getElementById('live')
    live.textContent = ''
    texts.push(text)
    clearTimeout(speaking)
    speaking = setTimeout(() => {
      live.textContent = texts.join(' ')
      texts = []
    }, 100)
  }

  // Counts down by the clock, not by its own ticks: a sleeping tab must not be late.
  const countDown = (place) => {
    const words = place.querySelector('[data-one]')
    const end = Date.now() + place.dataset.count * 1000
    let shown
    const tick = () => {
      if (!place.isConnected) return
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000))
      if (left !== shown) {
        if (shown && place.dataset[left]) say(place.dataset[left])
        shown = left
        if (!left) {
          place.querySelector('.count').remove()
          delete place.dataset.count
          return
        }
        const { one, few, many } = words.dataset
        words.textContent = (left === 1 ? one : left < 5 ? few : many).replace(/\d+/, left)
        place.querySelector('text').textContent = left
        place.querySelector('[pathLength]').setAttribute('stroke-dasharray', Math.min(left, 60) + ' 60')
      }
      setTimeout(tick, 250)
    }
    tick()
  }

  // The rules that can be judged here; the server judges these again, and the others.
  const rules = {
    // The number stands in the text of the rule, in every language.
    length: (password, item) => [...password].length >= item.textContent.match(/\d+/)[0],
    upper: (password) => /\p{Lu}/u.test(password),
    lower: (password) => /\p{Ll}/u.test(password),
    digit: (password) => /\p{Nd}/u.test(password),
    no_special: (password) => /^[\p{L}\p{M}\p{N}]+$/u.test(password),
  }
  let pause
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
    clearTimeout(pause)
    pause = setTimeout(() => say(count < list.children.length ? some.replace(99, count) : every), 1000)
  }

  // Passkeys. What the browser is to ask its device stands in the page; the answer goes back with the form.
  const keys = window.PublicKeyCredential
  let pending
  let busy
  const useKey = async (form, mediation) => {
    if (busy) return
    busy = !mediation
    // The device answers one question at a time: what the browser offers beside the field gives way to the button.
    pending?.abort()
    pending = new AbortController()
    const { signal } = pending
    const place = document.getElementById('passkey-options')
    const error = form.querySelector('.error')
    let problem = form.dataset.stopped
    if (busy) error.hidden = true
    try {
      const options = JSON.parse(place.dataset.options)
      const key = options.user
        ? await navigator.credentials.create({ publicKey: keys.parseCreationOptionsFromJSON(options), signal })
        : await navigator.credentials.get({ publicKey: keys.parseRequestOptionsFromJSON(options), mediation, signal })
      const body = new URLSearchParams(new FormData(form))
      body.set('credential', JSON.stringify(key))
      const answer = await (await fetch(form.action, { method: 'POST', body })).json()
      if (answer.to) return location.assign(answer.to)
      problem = answer.error
      if (answer.options) place.dataset.options = answer.options
    } catch (trouble) {
      // Whoever did not ask for the passkey need not know that it was not taken.
      if (signal.aborted || (mediation && trouble instanceof DOMException)) return
      if (trouble.name === 'InvalidStateError') problem = form.dataset.present
    } finally {
      if (!mediation) busy = false
    }
    error.querySelector('span').textContent = problem
    error.hidden = false
    offerKey()
  }
  const offerKey = async () => {
    const form = document.querySelector('[data-passkey]:not([data-present])')
    if (form && await keys.isConditionalMediationAvailable?.()) useKey(form, 'conditional')
  }
  const lookForKeys = () => {
    const place = document.querySelector('[data-host]')
    if (!place) return
    const { host } = place.dataset
    const why = !keys?.parseCreationOptionsFromJSON ? 'unsupported'
      : ('.' + location.hostname).endsWith('.' + host) ? '' : 'elsewhere'
    if (!why) return offerKey()
    place.querySelector('.js').hidden = true
    place.querySelector('[data-why=' + why + ']').hidden = false
  }

  const enhance = (root) => {
    all('[data-count]', root).forEach(countDown)
    all('[data-locked]', root).forEach((box) => { box.disabled = true })
    lookForKeys()
  }

  // The box that accepts a document can be ticked once that document was opened.
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

  // The repetition of the address is to be typed, so that a slip comes to light. Autofill is not pasting.
  const refuse = (event) => {
    if (!event.target.matches('[data-typed]')) return
    event.preventDefault()
    const reason = event.target.parentElement.querySelector('[data-refused]')
    reason.hidden = false
    say(reason.dataset.refused)
  }

  on('drop', refuse)
  on('paste', (event) => {
    refuse(event)
    // A whole date, year first, goes into its three fields.
    const parts = /^\s*(\d{4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,2})\D*$/.exec(event.clipboardData?.getData('text'))
    const date = event.target.closest('[data-date]')
    if (parts && date) {
      event.preventDefault()
      all('input', date).forEach((field, i) => { field.value = parts[i + 1] })
    }
  })

  // Who clicks everything twice is slower than the answer: the second click, of the mouse's own counting, was meant for
  // what is gone by then, and neither takes the focus from what has come nor presses what happens to lie there. Of taps,
  // two that are quick and near count as one double tap, though each is meant.
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

  on('input', (event) => {
    isNew = false
    if (event.target.matches('[aria-describedby~=rules]')) judge(event.target)
  })

  on('click', (event) => {
    // The form that was being filled in when the session ended asks for the sign-in itself, and keeps what was typed.
    const form = event.target.closest('[data-resume]') && document.querySelector('#main form:has([name=email], [name=mobile])')
    if (form) {
      event.preventDefault()
      form.requestSubmit()
    }
    // The error of a locked box leads to the document that unlocks it.
    const place = event.target.closest('#error-summary a')?.hash
    const box = place && document.querySelector(place + '[data-locked]')
    if (box) {
      event.preventDefault()
      document.querySelector(`[data-opens=${box.dataset.locked}]`).focus()
    }
    const button = event.target.closest('[data-shown]')
    if (button) {
      const fields = all('[autocomplete$=password],[name$=password]', button.form)
      const show = fields[0].type === 'password'
      fields.forEach((field) => { field.type = show ? 'text' : 'password' })
      button.classList.toggle('on', show)
      button.querySelector('span').textContent = show ? button.dataset.hide : button.dataset.show
      say(show ? button.dataset.shown : button.dataset.hidden)
    }
  })

  // However a link is opened: by a click, in a new tab, from the menu.
  for (const name of ['click', 'auxclick', 'contextmenu']) {
    on(name, (event) => {
      const link = event.target.closest('[data-opens]')
      if (link) unlock(link.dataset.opens)
    })
  }

  on('submit', (event) => {
    const form = event.target
    if (form.matches('[data-passkey]')) {
      event.preventDefault()
      useKey(form)
    } else if (form.matches('.theme')) {
      // In place, so that what was typed and not sent yet stays.
      event.preventDefault()
      const { name, value } = event.submitter
      const answer = new FormData(form)
      answer.append(name, value)
      fetch(form.action, { method: 'POST', body: new URLSearchParams(answer), redirect: 'manual' }).catch(() => {})
      page.dataset.theme = value
      form.querySelector('.to-' + (value === 'dark' ? 'light' : 'dark')).focus()
    } else if (!event.defaultPrevented) {
      // Sent without htmx: once is enough. After a while it may be sent again, should the answer never come.
      if (form.dataset.sent) event.preventDefault()
      form.dataset.sent = 1
      setTimeout(() => { delete form.dataset.sent }, 8000)
    } else {
      // A password shown is hidden before it is sent, so that browsers offer to save it and do not remember it as a text.
      all('[autocomplete=new-password]', form).forEach((field) => { field.type = 'password' })
    }
  })

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
    clearTimeout(pause)
    pause = setTimeout(() => say(document.getElementById('live').dataset.working), 1000)
  })
  on('htmx:finally:request', () => clearTimeout(pause))
  on('htmx:error', ({ detail }) => detail.ctx && trouble(detail.ctx, 'offline'))
  on('htmx:before:swap', (event) => {
    const { ctx } = event.detail
    // Neither a fault of the server nor a stranger's page (a proxy's, a hotel's) takes the place of what was typed.
    if (ctx.response.status >= 500 || !/ id="(main|session)"/.test(ctx.text)) {
      event.preventDefault()
      trouble(ctx, 'fault')
    }
  })
  on('htmx:after:swap', ({ target }) => {
    if (target === document) return
    if (target.id === 'main') isNew = true
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
  on('DOMContentLoaded', () => enhance(document))
})()
