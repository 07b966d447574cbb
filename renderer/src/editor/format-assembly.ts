/** Lays out assembly as the labs do: instructions at column 8, operands at 16, a comment where it was if it fits. */
const INSTRUCTION_COLUMN = 8
const OPERAND_COLUMN = 16
const TAB = 8

export function formatAssembly(text: string): string {
  let comment = false
  const lines = text.split('\n').map((line) => {
    const inside = comment
    comment = endsInComment(line, comment)
    return inside ? line : formatLine(expandTabs(line.trimEnd()))
  })
  return lines.join('\n').replace(/\n*$/, '\n')
}

/** `[label:] mnemonic operands  # comment`; other lines stay as they are. */
function formatLine(line: string): string {
  const parts = /^(\s*)((?:[.\w$]+:)?)(\s*)([a-z][a-z0-9.]*)(?:(\s+)(\S.*))?$/.exec(line)
  // An instruction stands behind a label or is indented: a word at the margin is something else, such as a macro's name.
  if (!parts || (parts[1] === '' && parts[2] === '')) return line
  const [, , label, , mnemonic, , rest = ''] = parts
  const at = commentStart(rest)
  const operands = rest.slice(0, at).trimEnd()
  const head = label.padEnd(label.length >= INSTRUCTION_COLUMN ? label.length + 1 : INSTRUCTION_COLUMN)
  const code = operands === '' ? head + mnemonic : padded(head + mnemonic, OPERAND_COLUMN) + operands
  if (at === rest.length) return code
  return padded(code, line.length - (rest.length - at)) + rest.slice(at)
}

/** At least one space, up to the column where there is room. */
function padded(text: string, column: number): string {
  return text.length < column ? text.padEnd(column) : `${text} `
}

/** Index of a comment outside quotes; the length where there is none. */
function commentStart(text: string): number {
  const found = /^(?:[^#"'/]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'?|\/(?![/*]))*/.exec(text)!
  return found[0].length
}

function endsInComment(line: string, inside: boolean): boolean {
  const from = inside ? 0 : line.lastIndexOf('/*')
  return from >= 0 && !line.slice(from).includes('*/')
}

function expandTabs(line: string): string {
  let out = ''
  for (const letter of line) out = letter === '\t' ? out.padEnd(out.length + TAB - (out.length % TAB)) : out + letter
  return out
}
