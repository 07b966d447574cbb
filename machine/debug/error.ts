/** What the debugger was asked for and cannot do; the message is for the user. */
export type DebugErrorCode =
  'bad-address' | 'bad-length' | 'no-hart' | 'no-memory' | 'no-register' | 'not-mapped' | 'read-only' | 'too-many'

export class DebugError extends Error {
  constructor(
    readonly code: DebugErrorCode,
    message: string,
  ) {
    super(message)
  }
}
