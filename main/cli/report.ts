/** How the command says what is wrong: one line for a file or argument, the usual compiler form for a diagnostic. */
import type { Diagnostic } from '../../machine/toolchain/diagnostic.ts'

/** `file:line:column: error: message`, and the hint on a line of its own. */
export function formatDiagnostic({ file, line, column, severity, message, hint }: Diagnostic): string {
  return `${file}:${line}:${column}: ${severity}: ${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`
}

export function complain(text: string): void {
  process.stderr.write(`pollen: ${text}\n`)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a directory',
  ENOTDIR: 'is not a directory',
  EACCES: 'may not be read or written',
}

/** Why a file could not be used, as `name: reason`. */
export function fileReason(name: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return `${name}: ${REASONS[code ?? ''] ?? message}`
}
