// Owns files for coroutines: every operation goes through the thread's ring, and others run while it is under way.
//
//   const file = new File()
//   if ((await file.open('/etc/motd')) == 0) {
//     const count = await file.read(buffer, 100)
//     await file.close()
//   }
import { Call } from '../kernel/abi'
import { give } from './memory'
import { ringCall } from './ring'
import { HERE } from './system'
import { toKernel } from './text'

@unmanaged export class File {
  descriptor: i32
  spare: u32

  /** Opens a file, to read it unless OpenFlag bits say otherwise: 0, or a negative errno. */
  async open(path: string, flags: u32 = 0): Promise<i64> {
    const text = toKernel(path)
    const result = await ringCall(Call.openat, HERE, text, flags, 0o644)
    give(text)
    if (result < 0) return result
    this.descriptor = <i32>result
    return 0
  }

  /** Reads where the last operation ended: how many bytes, 0 at the end, or a negative errno. */
  async read(buffer: usize, bytes: u32): Promise<i64> {
    return await ringCall(Call.read, this.descriptor, buffer, bytes)
  }

  async write(buffer: usize, bytes: u32): Promise<i64> {
    return await ringCall(Call.write, this.descriptor, buffer, bytes)
  }

  async readAt(buffer: usize, bytes: u32, offset: u64): Promise<i64> {
    return await ringCall(Call.pread64, this.descriptor, buffer, bytes, offset)
  }

  async writeAt(buffer: usize, bytes: u32, offset: u64): Promise<i64> {
    return await ringCall(Call.pwrite64, this.descriptor, buffer, bytes, offset)
  }

  async sync(): Promise<i64> {
    return await ringCall(Call.fsync, this.descriptor)
  }

  async close(): Promise<i64> {
    return await ringCall(Call.close, this.descriptor)
  }

  /** The object is gone; what it has open stays so. */
  free(): void {
    heap.free(changetype<usize>(this))
  }
}

/** A file object for a descriptor that is open; 0 to 2 are the program's own. free() it. */
export function fileOf(descriptor: i32): File {
  const file = new File()
  file.descriptor = descriptor
  return file
}

/** Waits for a child: its number, or a negative errno; `status` gets a u32 as wait4 has it. */
export async function waitFor(pid: i64, status: usize): Promise<i64> {
  return await ringCall(Call.wait4, pid, status, 0, 0)
}
