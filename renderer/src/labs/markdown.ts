/** Guides: Markdown to safe HTML. Raw HTML is shown as text, and links lead nowhere but to the web, in the user's browser. */
import MarkdownIt from 'markdown-it'

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false })

// Long lines scroll, and what scrolls must be reachable by keyboard.
markdown.renderer.rules.fence = (tokens, index) =>
  `<pre tabindex="0"><code>${markdown.utils.escapeHtml(tokens[index].content)}</code></pre>`

/** `- [ ]` and `- [x]` at the start of list entries. */
markdown.core.ruler.after('inline', 'tasks', (state) => {
  for (const [index, token] of state.tokens.entries()) {
    const text = token.children?.[0]
    if (token.type !== 'inline' || state.tokens[index - 2]?.type !== 'list_item_open' || text?.type !== 'text') continue
    const mark = /^\[([ x])\] /.exec(text.content)
    if (!mark) continue
    text.content = text.content.slice(4)
    state.tokens[index - 2].attrJoin('class', mark[1] === 'x' ? 'task done' : 'task')
  }
})

export interface GuideStep {
  readonly title: string
  readonly html: string
}

interface TrustedHtmlPolicy {
  createHTML(text: string): unknown
}
interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createHTML(text: string): string }): TrustedHtmlPolicy
}

const factory = (globalThis as { trustedTypes?: TrustedTypesFactory }).trustedTypes
/** The only HTML that this window makes from text: what markdown-it rendered with raw HTML switched off. */
const policy = factory?.createPolicy('pollen-guide', { createHTML: (text) => markdown.render(text) })

function render(text: string): string {
  return (policy ? policy.createHTML(text) : markdown.render(text)) as string
}

/** A guide is split into steps at its headings of the first level. */
export function guideSteps(text: string): GuideStep[] {
  return text
    .split(/^# /m)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const end = part.indexOf('\n')
      return { title: part.slice(0, end).trim(), html: render(part.slice(end + 1)) }
    })
}
