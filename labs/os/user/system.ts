// Owns the way into the kernel: one function per system call, each one trap. Results are the kernel's: >= 0, or a negative errno.
// Addresses are pointers of this program; texts end in zero (text.ts makes them).
import { Call } from '../kernel/abi'

@inline export function call0(number: u32): i64 {
  return cpu.ecall(number, 0, 0, 0, 0, 0, 0, 0)
}
@inline export function call1(number: u32, a: u64): i64 {
  return cpu.ecall(number, 0, a, 0, 0, 0, 0, 0)
}
@inline export function call2(number: u32, a: u64, b: u64): i64 {
  return cpu.ecall(number, 0, a, b, 0, 0, 0, 0)
}
@inline export function call3(number: u32, a: u64, b: u64, c: u64): i64 {
  return cpu.ecall(number, 0, a, b, c, 0, 0, 0)
}
@inline export function call4(number: u32, a: u64, b: u64, c: u64, d: u64): i64 {
  return cpu.ecall(number, 0, a, b, c, d, 0, 0)
}
@inline export function call6(number: u32, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64): i64 {
  return cpu.ecall(number, 0, a, b, c, d, e, f)
}

/** dirfd that stands for the working directory. */
export const HERE: u64 = <u64>(-100)

@inline export function sysRead(descriptor: i32, buffer: usize, bytes: u32): i64 {
  return call3(Call.read, descriptor, buffer, bytes)
}
@inline export function sysWrite(descriptor: i32, buffer: usize, bytes: u32): i64 {
  return call3(Call.write, descriptor, buffer, bytes)
}
@inline export function sysReadAt(descriptor: i32, buffer: usize, bytes: u32, offset: u64): i64 {
  return call4(Call.pread64, descriptor, buffer, bytes, offset)
}
@inline export function sysWriteAt(descriptor: i32, buffer: usize, bytes: u32, offset: u64): i64 {
  return call4(Call.pwrite64, descriptor, buffer, bytes, offset)
}
@inline export function sysOpen(path: usize, flags: u32): i64 {
  return call4(Call.openat, HERE, path, flags, 0o644)
}
@inline export function sysClose(descriptor: i32): i64 {
  return call1(Call.close, descriptor)
}
@inline export function sysSeek(descriptor: i32, offset: i64, whence: u32): i64 {
  return call3(Call.lseek, descriptor, offset, whence)
}
@inline export function sysStat(descriptor: i32, stat: usize): i64 {
  return call2(Call.fstat, descriptor, stat)
}
@inline export function sysStatAt(path: usize, stat: usize): i64 {
  return call4(Call.fstatat, HERE, path, stat, 0)
}
@inline export function sysSync(descriptor: i32): i64 {
  return call1(Call.fsync, descriptor)
}
@inline export function sysTruncate(descriptor: i32, size: u64): i64 {
  return call2(Call.ftruncate, descriptor, size)
}
@inline export function sysList(descriptor: i32, buffer: usize, bytes: u32): i64 {
  return call3(Call.getdents64, descriptor, buffer, bytes)
}
@inline export function sysMakeDirectory(path: usize): i64 {
  return call3(Call.mkdirat, HERE, path, 0o755)
}
/** `flags`: 0x200 for directories. */
@inline export function sysRemove(path: usize, flags: u32): i64 {
  return call3(Call.unlinkat, HERE, path, flags)
}
@inline export function sysRename(from: usize, to: usize, flags: u32): i64 {
  return call6(Call.renameat2, HERE, from, HERE, to, flags, 0)
}
/** Two descriptors, i32 each, to read from and to write to. */
@inline export function sysPipe(ends: usize, flags: u32): i64 {
  return call2(Call.pipe2, ends, flags)
}
@inline export function sysDuplicate(descriptor: i32): i64 {
  return call1(Call.dup, descriptor)
}
@inline export function sysDuplicateTo(descriptor: i32, target: i32): i64 {
  return call3(Call.dup3, descriptor, target, 0)
}
@inline export function sysControl(descriptor: i32, command: u32, value: u64): i64 {
  return call3(Call.fcntl, descriptor, command, value)
}
@inline export function sysDevice(descriptor: i32, request: u32, value: u64): i64 {
  return call3(Call.ioctl, descriptor, request, value)
}
@inline export function sysPoll(entries: usize, count: u32, timeout: usize): i64 {
  return call4(Call.ppoll, entries, count, timeout, 0)
}
@inline export function sysChange(path: usize): i64 {
  return call1(Call.chdir, path)
}
@inline export function sysCurrent(buffer: usize, bytes: u32): i64 {
  return call2(Call.getcwd, buffer, bytes)
}
@inline export function sysBreak(address: u64): i64 {
  return call1(Call.brk, address)
}
@inline export function sysMap(address: u64, bytes: u64, protection: u32, flags: u32, descriptor: i32, offset: u64): i64 {
  return call6(Call.mmap, address, bytes, protection, flags, descriptor, offset)
}
@inline export function sysUnmap(address: u64, bytes: u64): i64 {
  return call2(Call.munmap, address, bytes)
}
@inline export function sysSleep(timespec: usize): i64 {
  return call2(Call.nanosleep, timespec, 0)
}
@inline export function sysClock(clock: u32, timespec: usize): i64 {
  return call2(Call.clock_gettime, clock, timespec)
}
@inline export function sysYield(): i64 {
  return call0(Call.sched_yield)
}
/** `files`: an i32 for each descriptor of the child, the parent's or -1; 0 hands on 0 to 2. */
@inline export function sysSpawn(path: usize, argv: usize, envp: usize, files: usize, count: u32): i64 {
  return call6(Call.spawn, path, argv, envp, files, count, 0)
}
/** `options`: 1 does not wait. */
@inline export function sysWait(pid: i32, status: usize, options: u32): i64 {
  return call4(Call.wait4, pid, status, options, 0)
}
@inline export function sysKill(pid: i32, signal: u32): i64 {
  return call2(Call.kill, pid, signal)
}
@inline export function sysSetGroup(pid: u32, group: u32): i64 {
  return call2(Call.setpgid, pid, group)
}
@inline export function sysProcessId(): i64 {
  return call0(Call.getpid)
}
@inline export function sysThreadCreate(entry: u64, argument: usize, stack: u64): i64 {
  return call3(Call.thread_create, entry, argument, stack)
}
@inline export function sysThreadJoin(tid: u32, result: usize): i64 {
  return call2(Call.thread_join, tid, result)
}
@inline export function sysTasks(buffer: usize, bytes: u32): i64 {
  return call2(Call.task_list, buffer, bytes)
}
@inline export function sysCounters(buffer: usize, bytes: u32): i64 {
  return call2(Call.counters, buffer, bytes)
}
export function sysExit(status: i32): void {
  for (;;) call1(Call.exit_group, status)
}
