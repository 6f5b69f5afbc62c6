// What has to be done with content, be it the page as it was loaded or a part that htmx has brought.
const listeners = []
export const onContent = (listener) => listeners.push(listener)
export const enhance = (root) => listeners.forEach((listener) => listener(root))
