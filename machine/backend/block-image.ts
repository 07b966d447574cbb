/** What a disk or card stores its sectors in. */

export const SECTOR_BYTES = 512

export interface BlockImage {
  /** How many sectors of 512 bytes there are. */
  readonly sectors: number
  readonly readOnly: boolean
  /** The caller keeps all ranges inside the image. A host that cannot read or write is a `DiskImageError`. */
  read(sector: number, count: number): Uint8Array
  /** `bytes` are whole sectors. */
  write(sector: number, bytes: Uint8Array): void
  zero(sector: number, count: number): void
  /** What was written before is safe when this returns, as far as the image is kept at all. */
  flush(): void
  save(): BlockImageState
  load(state: BlockImageState): void
}

export type BlockImageState = { readonly [key: string]: unknown }

export class DiskImageError extends Error {}
