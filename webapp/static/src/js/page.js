// The page as a whole, and the words by which every other file speaks of it.
export const page = document.documentElement
page.classList.add('js')

export const all = (selector, root = document) => root.querySelectorAll(selector)
export const on = (name, listener) => document.addEventListener(name, listener)
