/** Monaco's colours from the design tokens, so that a theme is defined in one file. */
import type { Monaco } from './monaco'

/** A colour token as `#rrggbb`: the bundler shortens colours, Monaco wants them whole. */
function token(name: string): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  return /^#[0-9a-f]{3}$/i.test(value) ? `#${[...value.slice(1)].map((digit) => digit + digit).join('')}` : value
}

export function applyEditorTheme(monaco: typeof Monaco): void {
  const theme = document.documentElement.dataset.theme
  const base = theme === 'light' ? 'vs' : theme === 'dark' ? 'vs-dark' : 'hc-black'
  const rule = (scope: string, name: string) => ({ token: scope, foreground: token(name).slice(1) })
  monaco.editor.defineTheme('pollen', {
    base,
    inherit: true,
    rules: [
      { token: '', foreground: token('--text').slice(1) },
      rule('comment', '--syn-comment'),
      rule('keyword', '--syn-keyword'),
      rule('keyword.directive', '--syn-function'),
      rule('type', '--syn-type'),
      rule('type.identifier', '--syn-type'),
      rule('number', '--syn-number'),
      rule('string', '--syn-string'),
      rule('function', '--syn-function'),
      rule('variable', '--text'),
      rule('identifier', '--text'),
    ],
    colors: {
      'editor.background': token('--bg'),
      'editor.foreground': token('--text'),
      'editorLineNumber.foreground': token('--text-3'),
      'editorLineNumber.dimmedForeground': token('--text-3'),
      'editorLineNumber.activeForeground': token('--text'),
      'editor.lineHighlightBorder': token('--grid'),
      'editorCursor.foreground': token('--text'),
      'editor.selectionBackground': `${token('--accent')}40`,
      'editorGutter.background': token('--bg'),
      'editorWidget.background': token('--bg-chrome'),
      'editorWidget.border': token('--line-strong'),
      'input.background': token('--bg'),
      'input.border': token('--line-strong'),
      focusBorder: token('--accent'),
      'editorError.foreground': token('--bad'),
      'editorWarning.foreground': token('--warn'),
      'scrollbarSlider.background': `${token('--text-3')}40`,
      'diffEditor.insertedTextBackground': `${token('--ok')}33`,
      'diffEditor.removedTextBackground': `${token('--bad')}33`,
    },
  })
  monaco.editor.setTheme('pollen')
}
