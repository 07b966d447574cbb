// Owns files and directories as programs use them when they may wait. file.ts has the same for coroutines.
import { FileType, OpenFlag } from '../kernel/abi'
import { give, take } from './memory'
import { writeAll } from './console'
import { sysChange, sysClose, sysCurrent, sysList, sysMakeDirectory, sysOpen, sysRead, sysRemove, sysRename, sysStat, sysStatAt } from './system'
import { fromBytes, fromKernel, toKernel } from './text'

/** struct stat of Linux for riscv64; only what Pollen fills in. */
@unmanaged export class Stat {
  device: u64
  number: u64
  mode: u32
  links: u32
  spare0: u64
  spare1: u64
  spare2: u64
  size: u64
  blockBytes: u32
  spare3: u32
  blocks: u64
  accessed: u64
  accessedPart: u64
  modified: u64
  modifiedPart: u64
  changed: u64
  changedPart: u64
  spare4: u64

  get isDirectory(): bool {
    return (this.mode & 0o170000) == FileType.directory
  }
}

/** Opens a file, to read it unless OpenFlag bits say otherwise: its descriptor, or a negative errno. */
export function open(path: string, flags: u32 = 0): i64 {
  const text = toKernel(path)
  const result = sysOpen(text, flags)
  give(text)
  return result
}

@inline export function close(descriptor: i64): i64 {
  return sysClose(<i32>descriptor)
}

export function statPath(path: string, into: Stat): i64 {
  const text = toKernel(path)
  const result = sysStatAt(text, changetype<usize>(into))
  give(text)
  return result
}

export function statFile(descriptor: i64, into: Stat): i64 {
  return sysStat(<i32>descriptor, changetype<usize>(into))
}

/** True for what is there and is a directory. */
export function isDirectory(path: string): bool {
  const stat = changetype<Stat>(memory.data(128, 8))
  return statPath(path, stat) == 0 && stat.isDirectory
}

export function makeDirectory(path: string): i64 {
  const text = toKernel(path)
  const result = sysMakeDirectory(text)
  give(text)
  return result
}

export function removeFile(path: string): i64 {
  const text = toKernel(path)
  const result = sysRemove(text, 0)
  give(text)
  return result
}

export function removeDirectory(path: string): i64 {
  const text = toKernel(path)
  const result = sysRemove(text, 0x200)
  give(text)
  return result
}

export function rename(from: string, to: string): i64 {
  const fromText = toKernel(from)
  const toText = toKernel(to)
  const result = sysRename(fromText, toText, 0)
  give(fromText)
  give(toText)
  return result
}

export function changeDirectory(path: string): i64 {
  const text = toKernel(path)
  const result = sysChange(text)
  give(text)
  return result
}

/** The working directory; empty when it cannot be told. */
export function currentDirectory(): string {
  const buffer = take(1024)
  const result = sysCurrent(buffer, 1024)
  const text = result < 0 ? '' : fromKernel(buffer)
  give(buffer)
  return text
}

/** Names in a directory without "." and "..", in order. The result of the call is in `problem`: 0 or a negative errno. */
export class Listing {
  problem: i64 = 0
  names: string[] = []
}

export function listDirectory(path: string): Listing {
  const listing = new Listing()
  const descriptor = open(path, OpenFlag.directory)
  if (descriptor < 0) {
    listing.problem = descriptor
    return listing
  }
  const buffer = take(2048)
  for (;;) {
    const count = sysList(<i32>descriptor, buffer, 2048)
    if (count <= 0) {
      listing.problem = count
      break
    }
    // {number u64, cursor i64, bytes u16, type u8, name}
    for (let at: u32 = 0; at < <u32>count; at += load<u16>(buffer + at, 16)) {
      const name = fromKernel(buffer + at + 19)
      if (name != '.' && name != '..') listing.names.push(name)
    }
  }
  give(buffer)
  close(descriptor)
  listing.names.sort()
  return listing
}

/** A path's last component. */
export function baseName(path: string): string {
  let end = path.length
  while (end > 1 && path.charCodeAt(end - 1) == 47) end--
  return path.substring(path.lastIndexOf('/', end - 1) + 1, end)
}

export function joinPath(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : directory + '/' + name
}

/** Moves all that is left of one file to another; 0 or a negative errno. */
export function copyFile(from: i64, to: i64): i64 {
  const buffer = take(16384)
  let result: i64 = 0
  for (;;) {
    const count = sysRead(<i32>from, buffer, 16384)
    if (count <= 0) {
      result = count
      break
    }
    if (!writeAll(<i32>to, buffer, <u32>count)) {
      result = -32
      break
    }
  }
  give(buffer)
  return result
}

/** Lines of a descriptor, one after the other. */
export class LineReader {
  private buffer: usize = take(1024)
  private at: u32 = 0
  private end: u32 = 0
  private ended: bool = false

  constructor(private descriptor: i32) {}

  /** The next line without its end; null at the end of the file or after an error. */
  next(): string | null {
    let text = ''
    let some = false
    while (!this.ended) {
      const start = this.at
      while (this.at < this.end && load<u8>(this.buffer + this.at) != 10) this.at++
      if (this.at > start || this.at < this.end) {
        some = true
        text += fromBytes(this.buffer + start, this.at - start)
      }
      if (this.at < this.end) {
        this.at++
        return text
      }
      const count = sysRead(this.descriptor, this.buffer, 1024)
      this.at = 0
      this.end = count > 0 ? <u32>count : 0
      if (count <= 0) this.ended = true
    }
    return some ? text : null
  }
}
