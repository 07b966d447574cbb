/** Puts a theme on the page and tells whoever draws by hand. */
import type { Theme } from '../../../main/protocol'

const dark = matchMedia('(prefers-color-scheme: dark)')
const contrast = matchMedia('(prefers-contrast: more)')
let chosen: Theme = 'system'

function apply(): void {
  const system = contrast.matches ? 'high-contrast' : dark.matches ? 'dark' : 'light'
  const theme = chosen === 'system' ? system : chosen
  if (document.documentElement.dataset.theme === theme && document.documentElement.dataset.themeReady) return
  document.documentElement.dataset.theme = theme
  document.documentElement.dataset.themeReady = 'true'
  dispatchEvent(new Event('pollen-theme'))
}

dark.addEventListener('change', apply)
contrast.addEventListener('change', apply)

export function applyTheme(theme: Theme): void {
  chosen = theme
  apply()
}

/** Calls back now and whenever the theme changes; the result stops it. */
export function onTheme(handler: () => void): () => void {
  handler()
  addEventListener('pollen-theme', handler)
  return () => removeEventListener('pollen-theme', handler)
}

export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}
