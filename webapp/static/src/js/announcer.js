// One polite live region, outside of what is swapped. A text that repeats itself is spoken again. Of two that come at
// once both are spoken.
let speaking
let texts = []
export const say = (text) => {
  const live = document.getElementById('live')
  live.textContent = ''
  texts.push(text)
  clearTimeout(speaking)
  speaking = setTimeout(() => {
    live.textContent = texts.join(' ')
    texts = []
  }, 100)
}

// What may wait is said after a second, unless something newer takes its place or makes it needless.
let waiting
export const hush = () => clearTimeout(waiting)
export const sayLater = (text) => {
  hush()
  waiting = setTimeout(() => say(text), 1000)
}
