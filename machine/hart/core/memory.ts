/** Loads and stores that miss the fast path: TLB misses, devices, page crossings, code pages, watchpoints. */
import {
  COST_LOAD,
  COST_MMIO,
  COST_STORE,
  GLOBAL,
  G_HIT_ADDRESS,
  G_HIT_HART,
  G_STOP,
  G_TOHOST,
  G_WATCHPOINTS,
  G_WATCHPOINT_COUNT,
  H_ID,
  H_FAULTED,
  H_MIDWAY,
  H_PC,
  H_RETIRED,
  H_SKIP,
  H_STALL,
  PASS_WATCHPOINTS,
  STOP_WATCHPOINT,
} from '../layout'
import { hasCode, invalidate } from './code'
import { Kind, emit, tracing } from './events'
import { passes } from './fetch'
import { mmioRead, mmioWrite, tohost } from './host'
import { addStall, attend, cost } from './state'
import { resolve } from './tlb'
import { Access, faultCause, ramPointer, withoutAlias } from './translate'
import { Cause, raise } from './trap'

const FAILED: u64 = <u64>-1

/** True when the last slow access trapped or stopped: the instruction must not complete. Also in H_FAULTED. */
@inline export function faulted(h: usize): bool {
  return load<u32>(h, H_FAULTED) != 0
}

/** Loads `size` bytes, zero-extended. The caller has synchronised pc and counters, and checks `faulted`. */
export function loadSlow(h: usize, address: u64, size: u32): u64 {
  store<u32>(h, 0, H_FAULTED)
  if (watchpointHit(h, address, size, 1, cost(COST_LOAD))) return 0
  if ((address & 0xfff) + size > 0x1000) return loadCrossing(h, address, size)
  const physical = resolve(h, address, size, Access.read)
  if (physical == FAILED) {
    raise(h, faultCause, address)
    return 0
  }
  return loadPhysical(h, physical, address, size)
}

@inline function loadPointer(pointer: usize, size: u32): u64 {
  if (size == 1) return load<u8>(pointer)
  if (size == 2) return load<u16>(pointer)
  if (size == 4) return load<u32>(pointer)
  return load<u64>(pointer)
}

function loadPhysical(h: usize, physical: u64, address: u64, size: u32): u64 {
  const pointer = ramPointer(physical, size)
  if (pointer != 0) return loadPointer(pointer, size)
  addStall(h, cost(COST_MMIO))
  // Memory past the caches costs what a device does.
  const uncached = ramPointer(withoutAlias(physical), size)
  if (uncached != 0) return loadPointer(uncached, size)
  // Devices answer naturally aligned accesses only; an 8-byte one is two of 4.
  if ((physical & (size - 1)) != 0 || physical >>> 32 != 0) return deviceFault(h, Cause.loadAccess, address)
  const low = mmioRead(load<u32>(h, H_ID), <u32>physical, min<u32>(size, 4))
  if (low < 0) return deviceFault(h, Cause.loadAccess, address)
  let value = <u64>low
  if (size == 8) {
    const high = mmioRead(load<u32>(h, H_ID), <u32>physical + 4, 4)
    if (high < 0) return deviceFault(h, Cause.loadAccess, address)
    value |= <u64>high << 32
  }
  if (tracing(Kind.mmioRead)) emit(h, Kind.mmioRead, physical | (<u64>size << 56), value)
  return value
}

function deviceFault(h: usize, cause: u64, address: u64): u64 {
  raise(h, cause, address)
  return 0
}

/** Two pages: each part is translated by itself; a fault names the first byte it concerns. */
function loadCrossing(h: usize, address: u64, size: u32): u64 {
  const second = (address & ~(<u64>0xfff)) + 0x1000
  let value: u64 = 0
  for (let i: u32 = 0; i < size; i++) {
    const at = address + i
    const physical = resolve(h, at, 1, Access.read)
    if (physical == FAILED) {
      raise(h, faultCause, at < second ? address : second)
      return 0
    }
    const byte = loadPhysical(h, physical, at, 1)
    if (faulted(h)) return 0
    value |= byte << (i << 3)
  }
  return value
}

/** Stores the low `size` bytes of `value`. The caller has synchronised pc and counters, and checks `faulted`. */
export function storeSlow(h: usize, address: u64, size: u32, value: u64): void {
  store<u32>(h, 0, H_FAULTED)
  if (watchpointHit(h, address, size, 2, cost(COST_STORE))) return
  if ((address & 0xfff) + size > 0x1000) {
    storeCrossing(h, address, size, value)
    return
  }
  const physical = resolve(h, address, size, Access.write)
  if (physical == FAILED) raise(h, faultCause, address)
  else storePhysical(h, physical, address, size, value)
}

/** False when the bytes are not RAM. */
function storeRam(h: usize, physical: u64, size: u32, value: u64): bool {
  const pointer = ramPointer(physical, size)
  if (pointer == 0) return false
  if (size == 1) store<u8>(pointer, <u8>value)
  else if (size == 2) store<u16>(pointer, <u16>value)
  else if (size == 4) store<u32>(pointer, <u32>value)
  else store<u64>(pointer, value)
  if (hasCode(physical & ~(<u64>0xfff))) invalidate(physical, size)
  reportTohost(h, physical, size)
  return true
}

function storePhysical(h: usize, physical: u64, address: u64, size: u32, value: u64): void {
  if (storeRam(h, physical, size, value)) return
  addStall(h, cost(COST_MMIO))
  if (storeRam(h, withoutAlias(physical), size, value)) return
  if ((physical & (size - 1)) != 0 || physical >>> 32 != 0) {
    deviceFault(h, Cause.storeAccess, address)
    return
  }
  if (tracing(Kind.mmioWrite)) emit(h, Kind.mmioWrite, physical | (<u64>size << 56), value)
  const mask: u32 = size == 1 ? 0xff : size == 2 ? 0xffff : 0xffff_ffff
  if (mmioWrite(load<u32>(h, H_ID), <u32>physical, min<u32>(size, 4), <u32>value & mask) < 0) {
    deviceFault(h, Cause.storeAccess, address)
  } else if (size == 8) mmioWrite(load<u32>(h, H_ID), <u32>physical + 4, 4, <u32>(value >>> 32))
}

/** Both pages must accept the store before either is changed. */
function storeCrossing(h: usize, address: u64, size: u32, value: u64): void {
  const second = (address & ~(<u64>0xfff)) + 0x1000
  if (resolve(h, address, 1, Access.write) == FAILED) {
    raise(h, faultCause, address)
    return
  }
  if (resolve(h, second, 1, Access.write) == FAILED) {
    raise(h, faultCause, second)
    return
  }
  for (let i: u32 = 0; i < size; i++) {
    const at = address + i
    storePhysical(h, resolve(h, at, 1, Access.write), at, 1, value >>> (i << 3))
    if (faulted(h)) return
  }
}

/** RAM changed behind the fast path's back by an atomic: keep code and HTIF in step. */
export function afterAtomicStore(h: usize, physical: u64, size: u32): void {
  if (hasCode(physical & ~(<u64>0xfff))) invalidate(physical, size)
  reportTohost(h, physical, size)
}

function reportTohost(h: usize, physical: u64, size: u32): void {
  const at = load<u64>(GLOBAL + G_TOHOST)
  // A 32-bit guest stores two halves; the low one, written last or alone, counts.
  if (at == 0 || physical > at || physical + size <= at) return
  const pointer = ramPointer(at, 8)
  tohost(load<u32>(pointer), load<u32>(pointer, 4))
  attend(h)
}

/** Stops the machine before an access that a watchpoint covers: the instruction has not run, so `charged` cycles and its count are given back. */
export function watchpointHit(h: usize, address: u64, size: u32, kind: u32, charged: u32): bool {
  const count = load<u32>(GLOBAL + G_WATCHPOINT_COUNT)
  if (count == 0) return false
  for (let i: u32 = 0; i < count; i++) {
    const at = GLOBAL + G_WATCHPOINTS + <usize>i * 16
    const start = load<u64>(at)
    if ((load<u32>(at, 12) & kind) == 0 || address >= start + <u64>load<u32>(at, 8) || address + size <= start) continue
    if (load<u32>(h, H_SKIP) == PASS_WATCHPOINTS && passes(h, load<u64>(h, H_PC), load<u64>(h, H_RETIRED) - 1)) return false
    store<u32>(GLOBAL + G_STOP, STOP_WATCHPOINT)
    store<u32>(GLOBAL + G_HIT_HART, load<u32>(h, H_ID))
    store<u64>(GLOBAL + G_HIT_ADDRESS, address)
    store<u64>(h, load<u64>(h, H_RETIRED) - 1, H_RETIRED)
    store<i64>(h, load<i64>(h, H_STALL) - <i64>charged, H_STALL)
    store<u32>(h, 1, H_FAULTED)
    store<u32>(h, 1, H_MIDWAY)
    attend(h)
    return true
  }
  return false
}
