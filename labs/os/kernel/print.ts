// Owns the kernel's own messages. They go the way of programs' output once there is a console, so that lines are not torn; straight to
// the serial port before and in a panic, or to the firmware while there is none. Anyone may call.
import { sbiPutCharacter } from '../arch/sbi'
import { queueCharacter } from './dev/console'
import { SpinLock } from './sync/spin'

const printLock = changetype<SpinLock>(memory.data(64, 64))
/** Registers of a 16550, and the shift of their numbers; 0 before one is found. */
@readOnly let port: usize = 0
@readOnly let portShift: u32 = 0

@init export function usePort(registers: usize, shift: u32): void {
  port = registers
  portShift = shift
}

export function putCharacter(character: u32): void {
  if (character == 10) putRaw(13)
  putRaw(character)
}

/** 1 while the console driver takes the kernel's output. */
const queued = memory.data(8, 8)

export function printThroughConsole(on: bool): void {
  store<u32>(queued, on ? 1 : 0)
}

function putRaw(character: u32): void {
  if (load<u32>(queued) != 0 && queueCharacter(character)) return
  if (port == 0) {
    sbiPutCharacter(character)
    return
  }
  while ((cpu.load8(port + (5 << portShift)) & 0x20) == 0) {}
  cpu.store8(port, character)
}

export function print(text: string): void {
  const count = text.length
  for (let index = 0; index < count; index++) putCharacter(text.charCodeAt(index))
}

/** Bytes up to a zero. */
export function printText(text: usize): void {
  for (; load<u8>(text) != 0; text++) putCharacter(load<u8>(text))
}

export function printNumber(value: u64): void {
  if (value >= 10) printNumber(value / 10)
  putCharacter(48 + <u32>(value % 10))
}

export function printHex(value: u64): void {
  print('0x')
  let shift: i32 = 60
  while (shift > 0 && ((value >> shift) & 15) == 0) shift -= 4
  for (; shift >= 0; shift -= 4) {
    const digit = <u32>((value >> shift) & 15)
    putCharacter(digit < 10 ? 48 + digit : 87 + digit)
  }
}

/** What is printed between the two is not mixed with what other harts print. */
export function beginLine(): void {
  printLock.lock()
}

export function endLine(): void {
  putCharacter(10)
  printLock.unlock()
}

/** One whole line, not mixed with those of other harts. */
export function printLine(text: string): void {
  printLock.lock()
  print(text)
  putCharacter(10)
  printLock.unlock()
}

/** A line that goes on with a number. */
export function printPair(text: string, value: u64, after: string): void {
  printLock.lock()
  print(text)
  printNumber(value)
  print(after)
  putCharacter(10)
  printLock.unlock()
}
