// What xterm.js gets instead of a style element, which the policy refuses: an element that puts its text into a style
// sheet of the document, as a script may (CSSOM). The build swaps them: build/xterm-under-policy.ts.

/** Its text counts from when it is set until the element is removed. */
export function styleElement(): HTMLElement {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets.push(sheet)
  const element = document.createElement('template')
  Object.defineProperty(element, 'textContent', {
    set: (text: string) => {
      sheet.replaceSync(text)
    },
  })
  element.remove = () => {
    const at = document.adoptedStyleSheets.indexOf(sheet)
    if (at !== -1) document.adoptedStyleSheets.splice(at, 1)
    Element.prototype.remove.call(element)
  }
  return element
}
