/** What every stage of the toolchain says about the user's source. Positions are 1-based; columns count UTF-16 units. */
export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly column: number
  /** One past the last character. */
  readonly end: { readonly line: number; readonly column: number }
  readonly severity: 'error' | 'warning' | 'note'
  /** A stable name such as `asm/unknown-mnemonic`, for search and for tests. */
  readonly code: string
  readonly message: string
  /** What to do about it, where there is something to say. */
  readonly hint?: string
}
