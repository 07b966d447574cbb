/** Archives in the "new ASCII" form of cpio (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). */

export interface ArchiveFile {
  /** From the root, with a slash in front. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly executable: boolean
}

const DIRECTORY = 0o040755
const FILE = 0o100644
const PROGRAM = 0o100755

/** The archive: folders before what is in them, in the order of their names, without times and owners, so that equal files give equal bytes. */
export function writeCpio(files: readonly ArchiveFile[]): Uint8Array {
  const folders = new Set<string>()
  for (const { path } of files) {
    const parts = path.split('/').slice(1, -1)
    parts.forEach((_, index) => folders.add('/' + parts.slice(0, index + 1).join('/')))
  }
  const entries = [
    ...[...folders].map((path) => ({ path, mode: DIRECTORY, bytes: new Uint8Array() })),
    ...files.map(({ path, bytes, executable }) => ({ path, mode: executable ? PROGRAM : FILE, bytes })),
  ].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const parts: Uint8Array[] = []
  const add = (name: string, mode: number, bytes: Uint8Array, inode: number) => {
    const encoded = new TextEncoder().encode(name + '\0')
    const links = mode === DIRECTORY ? 2 : 1
    // Inode, mode, user, group, links, time, size, device (2), special device (2), length of the name, check.
    const fields = [inode, mode, 0, 0, links, 0, bytes.length, 0, 0, 0, 0, encoded.length, 0]
    const header = new TextEncoder().encode('070701' + fields.map((value) => value.toString(16).padStart(8, '0')).join(''))
    parts.push(header, encoded, padding(header.length + encoded.length), bytes, padding(bytes.length))
  }
  entries.forEach(({ path, mode, bytes }, index) => add(path.slice(1), mode, bytes, index + 1))
  add('TRAILER!!!', 0, new Uint8Array(), 0)
  const archive = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    archive.set(part, at)
    at += part.length
  }
  return archive
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4)
}
