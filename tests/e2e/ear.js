// Runs before the scripts of every page: keeps what the live region said, and makes a breach of the policy on content
// heard in the console, where it outlives the page.
window.said = []
new MutationObserver((changes) => {
  for (const change of changes) {
    const text = change.target.id === 'live' && change.target.textContent
    if (text) window.said.push(text)
  }
}).observe(document, { subtree: true, childList: true, characterData: true })
document.addEventListener('securitypolicyviolation', (event) =>
  console.error('breach of the policy on content: ' + event.violatedDirective + ' ' + event.blockedURI))
