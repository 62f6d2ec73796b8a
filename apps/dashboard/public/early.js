// What must happen before everything else, in a file of its own since the policy allows no inline script. A classic script
// in the head: it runs before the page is painted, and before any module of the app is loaded.

// A login through a provider comes back with a token in the URL. It is taken out of it here: neither the history nor any
// request has it. src/session/callback.ts takes it from the window.
if (/^\/auth\/[^/]+\/callback\/?$/.test(location.pathname)) {
  window.wrennCallback = location.href
  history.replaceState(null, '', location.pathname)
}

// The theme, so that nothing flashes. src/theme/theme.ts keeps the choice under the same name and goes on from here.
const choice = localStorage.getItem('wrenn.theme')
const isDark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
