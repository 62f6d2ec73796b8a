// Makes xterm.js fit for a policy without 'unsafe-inline' (ADR 0010): where it creates style elements it gets ours, and
// where it writes style attributes it sets them through the CSSOM. It has no option for that: the document that can be
// given to it (`documentOverride`) is used for two of the three elements, and for no attribute.
import type { Plugin } from 'vite'

const source = '/@xterm/xterm/lib/xterm.mjs'
const styleElement = /[\w.]+\.createElement\("style"\)/g
const styleAttribute = /(\w+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g

/** Fails the build when xterm.js is not as it was: look again then, for what it writes inline. */
export function xtermUnderPolicy(): Plugin {
  return {
    name: 'xterm-under-policy',
    transform(code, id) {
      if (!id.split('?')[0]?.endsWith(source)) return undefined
      const elements = code.match(styleElement)?.length ?? 0
      const attributes = code.match(styleAttribute)?.length ?? 0
      if (elements !== 3 || attributes !== 1 || code.split('"style"').length !== 6)
        throw new Error(`xterm.js has changed: ${elements} style elements, ${attributes} style attributes`)
      const rest = code
        .replaceAll(styleElement, 'styleElement()')
        .replaceAll(styleAttribute, '$1.style.cssText+=$2')
      return { code: `import{styleElement}from"/src/terminal/style-element.ts";${rest}`, map: null }
    },
  }
}
