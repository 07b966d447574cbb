/** The compiler's words under the line they are about. */
import type { Monaco } from './monaco'

export interface ZoneText {
  readonly line: number
  readonly message: string
  readonly hint?: string
  readonly code: string
}

export interface Zones {
  show(texts: readonly ZoneText[]): void
}

/** More than this many would hide the program. */
const MOST_ZONES = 8

export function errorZones(editor: Monaco.editor.IStandaloneCodeEditor): Zones {
  let ids: string[] = []
  return {
    show: (texts) =>
      editor.changeViewZones((accessor) => {
        for (const id of ids) accessor.removeZone(id)
        // What else is wrong with a line often only follows from the first.
        const firsts = texts.filter(({ line }, index) => texts.findIndex((other) => other.line === line) === index)
        ids = firsts.slice(0, MOST_ZONES).map(({ line, message, hint, code }) => {
          const node = document.createElement('div')
          node.className = 'error-lens'
          const title = document.createElement('b')
          title.textContent = message
          const detail = document.createElement('span')
          detail.textContent = hint ? `${hint} (${code})` : code
          node.append(title, detail)
          return accessor.addZone({ afterLineNumber: line, heightInPx: 48, domNode: node, suppressMouseDown: true })
        })
      }),
  }
}
