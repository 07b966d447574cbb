// Owns processes as a program sees them: its arguments and environment, its children, its end.
import { fromKernel, giveVector, toKernel, toVector } from './text'
import { give, take } from './memory'
import { sysExit, sysKill, sysPipe, sysSpawn, sysWait } from './system'

@external('env', 'program_vector_at') declare function programVector(): usize

/** The program's name, then its arguments. */
export function programArguments(): string[] {
  const count = load<i32>(programVector())
  const vector: usize = load<u32>(programVector(), 8)
  const texts = new Array<string>(count)
  for (let index = 0; index < count; index++) texts[index] = fromKernel(load<u32>(vector + index * 8))
  return texts
}

/** The vector of the environment, as spawn takes it. */
export function environmentVector(): usize {
  return load<u32>(programVector(), 8) + (load<u32>(programVector()) + 1) * 8
}

/** Ends the program at once; use exit of hooks to write what is printed. */
export function endProgram(status: i32): void {
  sysExit(status)
}

/** What wait gives: the child, and how it ended. */
@unmanaged export class Ended {
  pid: i64
  status: u32

  /** The exit status, or 128 + the signal that ended it. */
  get code(): u32 {
    return (this.status & 0x7f) != 0 ? 128 + (this.status & 0x7f) : (this.status >> 8) & 0xff
  }
}

/** Starts a program with descriptors 0 to 2 of one's own, or those given. The child's number, or a negative errno. */
export function spawn(path: string, args: string[], input: i32 = 0, output: i32 = 1, errors: i32 = 2): i64 {
  const pathText = toKernel(path)
  const vector = toVector(args)
  const files = take(12)
  store<i32>(files, input)
  store<i32>(files, output, 4)
  store<i32>(files, errors, 8)
  const result = sysSpawn(pathText, vector, environmentVector(), files, 3)
  give(files)
  giveVector(vector)
  give(pathText)
  return result
}

/** Waits for a child (-1: any); the result's pid is a negative errno when there is none. */
export function wait(pid: i64, into: Ended, dontWait: bool = false): i64 {
  const status = memory.data(8, 8)
  into.pid = sysWait(<i32>pid, status, dontWait ? 1 : 0)
  into.status = load<u32>(status)
  return into.pid
}

/** Runs a program to its end: its exit status, or a negative errno. */
export function run(path: string, args: string[]): i64 {
  const pid = spawn(path, args)
  if (pid < 0) return pid
  const ended = changetype<Ended>(memory.data(16, 8))
  const result = wait(pid, ended)
  return result < 0 ? result : ended.code
}

@inline export function kill(pid: i32, signal: u32 = 15): i64 {
  return sysKill(pid, signal)
}

/** Both ends of a pipe. */
@unmanaged export class Pipe {
  reader: i32
  writer: i32
}

export function makePipe(into: Pipe): i64 {
  return sysPipe(changetype<usize>(into), 0)
}
