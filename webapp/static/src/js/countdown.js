import { say } from './announcer.js'
import { onContent } from './content.js'
import { all } from './page.js'

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

onContent((root) => all('[data-count]', root).forEach(countDown))
