import type { ErrorCode } from '../protocol/index.ts'

/** Something the user should know, with a code that the window can act on. */
export class WorkbenchError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message)
    this.name = 'WorkbenchError'
  }
}
