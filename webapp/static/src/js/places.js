// Where the text is so large that the places would fill the screen, they open on demand. The server sends them open.
const narrow = matchMedia('(max-width: 19.99rem)')
const fold = () => { document.querySelector('#places details')?.toggleAttribute('open', !narrow.matches) }
narrow.addEventListener('change', fold)
fold()
