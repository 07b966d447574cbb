/** `uipi`: user interrupts sent and received without the kernel (user-interrupts.md). */
import { COST_UIPI, H_ID, H_SUIRS, H_SUIST } from '../layout'
import { userInterrupt } from './host'
import { addStall, attend, cost } from './state'
import { ramPointer } from './translate'

const ENABLE: u64 = 1 << 63
const SENDER_ENTRY_BYTES: u64 = 64

export const enum Uipi {
  send = 0,
  read = 1,
  write = 2,
  activate = 3,
  deactivate = 4,
}

/** `uipi.send`: looks the index up in the sender table and posts the vector; false when that is illegal. */
export function sendUserInterrupt(h: usize, index: u64): bool {
  const table = load<u64>(h, H_SUIST)
  if ((table & ENABLE) == 0) return false
  const bytes = ((table >>> 44) & 0xfff) << 12
  if (index >= bytes / SENDER_ENTRY_BYTES) return false
  const pointer = ramPointer(((table & 0xfff_ffff_ffff) << 12) + index * SENDER_ENTRY_BYTES, 8)
  if (pointer == 0) return false
  const entry = load<u64>(pointer)
  if ((entry & 1) == 0) return false
  addStall(h, cost(COST_UIPI))
  userInterrupt(load<u32>(h, H_ID), Uipi.send, <u32>(entry >>> 48), (entry >>> 16) & 0xffff)
  return true
}

/** An operation on this hart's own receiver. Sets `uipiResult`; false when that is illegal. */
export function ownReceiver(h: usize, operation: Uipi, value: u64): bool {
  const receiver = load<u64>(h, H_SUIRS)
  if ((receiver & ENABLE) == 0) return false
  addStall(h, cost(COST_UIPI))
  uipiResult = userInterrupt(load<u32>(h, H_ID), operation, <u32>receiver & 0xffff, value)
  attend(h)
  return true
}

export let uipiResult: u64 = 0
