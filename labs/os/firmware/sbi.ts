// The calls of S-mode (SBI 1.0): which extension, which function. trap.ts calls it with the frame of the trap; what a call does is in
// the file of its subject.
import { FINISH_PASS, put, take } from './board-virt'
import { MARCHID, MEPC, MIMPID, MIP, MVENDORID, SUPERVISOR_SOFTWARE } from './csr'
import { FENCE_INSTRUCTIONS, FENCE_SPACE, FENCE_TRANSLATIONS, fenceHarts } from './fence'
import { REASON_INTERRUPT, STARTED, SUSPENDED, allHarts, ask, stateOf } from './harts'
import { hartStart, hartStatus, hartStop, hartSuspend } from './hsm'
import { FAILED, INVALID_PARAMETER, NOT_SUPPORTED, SUCCESS, give, given, hartsOf } from './result'
import { reflect } from './reflect'
import { finish, systemReset } from './reset'
import { setTimer } from './timer'

@external('env', 'loadAsSupervisor') declare function loadAsSupervisor(address: u64, result: usize): u64
@external('env', 'firmwareEnd') declare function firmwareEnd(): u64

// The registers of the frame that entry.S makes.
const A0: usize = 48
const A1: usize = 56
const A2: usize = 64
const A3: usize = 72
const A4: usize = 80
const A6: usize = 96
const A7: usize = 104

const BASE: u32 = 0x10
const TIME: u32 = 0x54494d45
const IPI: u32 = 0x735049
const RFENCE: u32 = 0x52464e43
const HSM: u32 = 0x48534d
const SRST: u32 = 0x53525354
const DBCN: u32 = 0x4442434e

const SPECIFICATION: u64 = 1 << 24
/** Not among the implementations that the specification lists. */
const IMPLEMENTATION: u64 = 0x504f4c4c
const IMPLEMENTATION_VERSION: u64 = 1

/** Serves the call in `frame`; the caller continues behind it. */
export function call(frame: usize): void {
  const extension = load<u64>(frame, A7)
  cpu.csrWrite(MEPC, cpu.csrRead(MEPC) + 4)
  if (extension <= 8) {
    legacy(frame, <u32>extension)
    return
  }
  give(0)
  const error = extension >>> 32 == 0 ? standard(frame, <u32>extension, <u32>load<u64>(frame, A6)) : NOT_SUPPORTED
  store<i64>(frame, error, A0)
  store<u64>(frame, error == SUCCESS ? given() : 0, A1)
}

function standard(frame: usize, extension: u32, fn: u32): i64 {
  const a0 = load<u64>(frame, A0)
  const a1 = load<u64>(frame, A1)
  const a2 = load<u64>(frame, A2)
  switch (extension) {
    case TIME:
      if (fn != 0) return NOT_SUPPORTED
      setTimer(a0)
      return SUCCESS
    case IPI:
      return fn == 0 ? interrupt(hartsOf(a0, a1, allHarts())) : NOT_SUPPORTED
    case RFENCE:
      if (fn > 2) return NOT_SUPPORTED
      return fence(hartsOf(a0, a1, allHarts()), fn, a2, load<u64>(frame, A3), load<u64>(frame, A4))
    case HSM:
      if (fn == 0) return hartStart(a0, a1, a2)
      if (fn == 1) return hartStop()
      if (fn == 2) return hartStatus(a0)
      return fn == 3 ? hartSuspend(<u32>a0, a1, a2) : NOT_SUPPORTED
    case SRST:
      return fn == 0 ? systemReset(a0, a1) : NOT_SUPPORTED
    case DBCN:
      return console(fn, a0, a1, a2)
    case BASE:
      return base(fn, a0)
    default:
      return NOT_SUPPORTED
  }
}

function base(fn: u32, extension: u64): i64 {
  switch (fn) {
    case 0:
      return give(SPECIFICATION)
    case 1:
      return give(IMPLEMENTATION)
    case 2:
      return give(IMPLEMENTATION_VERSION)
    case 3:
      return give(isServed(extension) ? 1 : 0)
    case 4:
      return give(cpu.csrRead(MVENDORID))
    case 5:
      return give(cpu.csrRead(MARCHID))
    case 6:
      return give(cpu.csrRead(MIMPID))
    default:
      return NOT_SUPPORTED
  }
}

function isServed(extension: u64): bool {
  if (extension <= 8) return true
  switch (<u32>extension) {
    case BASE:
    case TIME:
    case IPI:
    case RFENCE:
    case HSM:
    case SRST:
    case DBCN:
      return extension >>> 32 == 0
    default:
      return false
  }
}

function interrupt(harts: i64): i64 {
  if (harts < 0) return INVALID_PARAMETER
  const self: u32 = 1 << <u32>cpu.hartId()
  for (let rest = <u32>harts; rest != 0; rest &= rest - 1) {
    const hart = ctz(rest)
    if (1 << hart == self) cpu.csrSet(MIP, SUPERVISOR_SOFTWARE)
    else if (runs(hart)) ask(hart, REASON_INTERRUPT)
  }
  return SUCCESS
}

function runs(hart: u32): bool {
  const state = stateOf(hart)
  return state == STARTED || state == SUSPENDED
}

function fence(harts: i64, fn: u32, start: u64, size: u64, space: u64): i64 {
  if (harts < 0) return INVALID_PARAMETER
  fenceHarts(<u32>harts, fn == 0 ? FENCE_INSTRUCTIONS : fn == 1 ? FENCE_TRANSLATIONS : FENCE_SPACE, start, size, space)
  return SUCCESS
}

/** The debug console (SBI 2.0, chapter 12); `low` is a physical address. */
function console(fn: u32, length: u64, low: u64, high: u64): i64 {
  if (fn == 2) {
    put(<u8>length)
    return SUCCESS
  }
  if (fn > 2) return NOT_SUPPORTED
  // Physical memory of these boards ends below 2^32, and the firmware's is nobody's.
  if (high != 0 || length >>> 32 != 0 || low + length > 0x100000000 || low >= 0x100000000) return INVALID_PARAMETER
  if (low < firmwareEnd()) return INVALID_PARAMETER
  let done: u32 = 0
  const address = <usize>low
  if (fn == 0) {
    for (; done < <u32>length; done++) put(load<u8>(address + done))
    return give(done)
  }
  for (; done < <u32>length; done++) {
    const character = take()
    if (character < 0) break
    store<u8>(address + done, <u8>character)
  }
  return give(done)
}

/** Calls of SBI 0.1 (SBI 1.0, chapter 5): one result, and hart masks by address. */
function legacy(frame: usize, fn: u32): void {
  const a0 = load<u64>(frame, A0)
  let result: i64 = 0
  switch (fn) {
    case 0:
      setTimer(a0)
      break
    case 1:
      put(<u8>a0)
      break
    case 2:
      result = take()
      break
    case 3:
      cpu.csrClear(MIP, SUPERVISOR_SOFTWARE)
      break
    case 8:
      finish(FINISH_PASS)
      break
    default: {
      let harts: i64 = allHarts()
      if (a0 != 0) {
        const fault = loadAsSupervisor(a0, frame + A7)
        if (fault != 0) {
          reflect(fault, 4)
          return
        }
        harts = hartsOf(load<u64>(frame, A7), 0, allHarts())
        store<u64>(frame, fn, A7)
      }
      if (fn == 4) result = interrupt(harts)
      else result = fence(harts, fn - 5, load<u64>(frame, A1), load<u64>(frame, A2), load<u64>(frame, A3))
      if (result != SUCCESS) result = FAILED
    }
  }
  store<i64>(frame, result, A0)
}
