// Owns the numbers of the published ABI (ABI.md says what they mean). Kernel and user library import this file; it imports nothing.

/** Numbers of system calls: Linux's for riscv64 where Linux has the call, from 1000 on our own. */
export const enum Call {
  getcwd = 17,
  dup = 23,
  dup3 = 24,
  fcntl = 25,
  ioctl = 29,
  mkdirat = 34,
  unlinkat = 35,
  ftruncate = 46,
  chdir = 49,
  openat = 56,
  close = 57,
  pipe2 = 59,
  getdents64 = 61,
  lseek = 62,
  read = 63,
  write = 64,
  readv = 65,
  writev = 66,
  pread64 = 67,
  pwrite64 = 68,
  ppoll = 73,
  fstatat = 79,
  fstat = 80,
  sync = 81,
  fsync = 82,
  fdatasync = 83,
  exit = 93,
  exit_group = 94,
  nanosleep = 101,
  clock_gettime = 113,
  sched_yield = 124,
  kill = 129,
  reboot = 142,
  setpgid = 154,
  getpgid = 155,
  uname = 160,
  gettimeofday = 169,
  getpid = 172,
  getppid = 173,
  gettid = 178,
  sysinfo = 179,
  brk = 214,
  munmap = 215,
  mmap = 222,
  wait4 = 260,
  renameat2 = 276,
  spawn = 1000,
  thread_create = 1001,
  thread_exit = 1002,
  thread_join = 1003,
  setup_io = 1010,
  ring_enter = 1011,
  ring_close = 1012,
  register_buffers = 1013,
  task_list = 1020,
  set_priority = 1021,
  counters = 1022,
  set_limit = 1023,
}

/** Operations that only rings have. */
export const enum RingOp {
  nop = 0xffff,
  timeout = 0xfffe,
  cancel = 0xfffd,
  poll = 0xfffc,
}

export const enum Errno {
  EPERM = 1,
  ENOENT = 2,
  ESRCH = 3,
  EINTR = 4,
  EIO = 5,
  E2BIG = 7,
  ENOEXEC = 8,
  EBADF = 9,
  ECHILD = 10,
  EAGAIN = 11,
  ENOMEM = 12,
  EACCES = 13,
  EFAULT = 14,
  EBUSY = 16,
  EEXIST = 17,
  EXDEV = 18,
  ENODEV = 19,
  ENOTDIR = 20,
  EISDIR = 21,
  EINVAL = 22,
  ENFILE = 23,
  EMFILE = 24,
  ENOTTY = 25,
  EFBIG = 27,
  ENOSPC = 28,
  ESPIPE = 29,
  EROFS = 30,
  EPIPE = 32,
  ERANGE = 34,
  ENAMETOOLONG = 36,
  ENOSYS = 38,
  ENOTEMPTY = 39,
  ETIME = 62,
  ECANCELED = 125,
}

/** Flags of openat, as Linux has them for riscv64. */
export const enum OpenFlag {
  readOnly = 0,
  writeOnly = 1,
  readWrite = 2,
  accessMask = 3,
  create = 0o100,
  exclusive = 0o200,
  truncate = 0o1000,
  append = 0o2000,
  nonBlocking = 0o4000,
  directory = 0o200000,
  closeOnExec = 0o2000000,
}

/** Types in st_mode and getdents64. */
export const enum FileType {
  fifo = 0o010000,
  characterDevice = 0o020000,
  directory = 0o040000,
  blockDevice = 0o060000,
  regular = 0o100000,
}

export const enum Poll {
  readable = 1,
  writable = 4,
  error = 8,
  hangUp = 16,
  invalid = 32,
}

/** The user half of the address space. */
export namespace User {
  export const lowest: u32 = 0x1_0000
  export const programEnd: u32 = 0x4000_0000
  export const mappings: u32 = 0x4000_0000
  export const mappingsEnd: u32 = 0x6000_0000
  export const stackTop: u32 = 0x6fff_0000
  export const rings: u32 = 0x7000_0000
  export const ringsEnd: u32 = 0x7800_0000
  export const vdsoCode: u32 = 0x7f00_0000
  export const vdsoData: u32 = 0x7f00_1000
  export const end: u32 = 0x7f00_2000
}

/** Byte offsets in a ring's header page. Each writer has cache lines of its own. */
export namespace RingHeader {
  export const magic: u32 = 0
  export const version: u32 = 4
  export const submissionEntries: u32 = 8
  export const completionEntries: u32 = 12
  export const submissionOffset: u32 = 16
  export const completionOffset: u32 = 20
  export const id: u32 = 24
  /** Advanced by the kernel. */
  export const submissionHead: u32 = 64
  /** Advanced by the user. */
  export const submissionTail: u32 = 128
  /** Advanced by the user. */
  export const completionHead: u32 = 192
  /** Advanced by the kernel. */
  export const completionTail: u32 = 256
  /** RingState bits, written by the kernel. */
  export const flags: u32 = 320
  /** Entries whose number or flags the kernel did not know. */
  export const rejected: u32 = 324
  /** Completions that waited for room. */
  export const overflowed: u32 = 328
  export const magicValue: u32 = 0x474e4952
}

export namespace RingState {
  export const needWakeup: u32 = 1
  export const overflow: u32 = 2
}

/** Byte offsets in a submission entry of 64 bytes. */
export namespace Submission {
  export const number: u32 = 0
  export const flags: u32 = 2
  export const priority: u32 = 3
  export const buffer: u32 = 4
  export const userData: u32 = 8
  export const arguments: u32 = 16
  export const bytes: u32 = 64
}

export namespace SubmissionFlag {
  /** The next entry starts when this one has succeeded. */
  export const link: u32 = 1
  /** Starts when all before it are complete; those after it wait for it. */
  export const drain: u32 = 2
  /** Like link, but goes on after an error too. */
  export const hardLink: u32 = 4
  /** Addresses are offsets in the registered buffer that `buffer` numbers. */
  export const fixedBuffer: u32 = 8
  /** No completion entry when it succeeds. */
  export const silent: u32 = 16
}

/** Byte offsets in a completion entry of 16 bytes. */
export namespace Completion {
  export const userData: u32 = 0
  export const result: u32 = 8
  export const bytes: u32 = 16
}

/** setup_io's parameter block: 64 bytes, then the first submission entry. */
export namespace RingSetup {
  export const entries: u32 = 0
  export const completionEntries: u32 = 4
  export const access: u32 = 8
  export const flags: u32 = 12
  export const outId: u32 = 16
  export const outBytes: u32 = 20
  export const outAddress: u32 = 24
  export const firstEntry: u32 = 64
  export const bytes: u32 = 128
  export const mostEntries: u32 = 4096
}

/** How the IO core reaches user memory that is no registered buffer. */
export const enum Access {
  /** Page tables walked in software for each page. */
  translate = 0,
  /** The same, remembering translations until the address space changes. */
  cached = 1,
  /** The hart's page table is switched to the process'. */
  switchTables = 2,
}

/** Byte offsets in the vDSO's data page. */
export namespace VdsoData {
  export const version: u32 = 0
  /** Ticks of `time` each second. */
  export const timebase: u32 = 8
  /** Nanoseconds since 1970 at tick 0. */
  export const realtimeBase: u32 = 16
  /** Nanoseconds per tick << 32. */
  export const nanosecondsPerTick: u32 = 24
}

/** States of tasks as task_list gives them. */
export const enum TaskListState {
  running = 0,
  ready = 1,
  waiting = 2,
}
