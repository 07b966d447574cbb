// The serial port: polled, for the SBI's console calls and the firmware's last words.
import { LINE_RECEIVED, LINE_TRANSMITTER_EMPTY, UART_DATA, UART_LINE_STATUS } from './board-virt'

export function put(character: u8): void {
  while ((cpu.load8(UART_LINE_STATUS) & LINE_TRANSMITTER_EMPTY) == 0) {}
  cpu.store8(UART_DATA, character)
}

/** The next character that was typed, or -1. */
export function take(): i32 {
  return (cpu.load8(UART_LINE_STATUS) & LINE_RECEIVED) != 0 ? <i32>cpu.load8(UART_DATA) : -1
}

export function print(text: string): void {
  for (let i = 0; i < text.length; i++) put(<u8>text.charCodeAt(i))
}

export function printHex(value: u64): void {
  print('0x')
  let shift = 60
  while (shift > 0 && value >>> shift == 0) shift -= 4
  for (; shift >= 0; shift -= 4) {
    const digit = <u8>((value >>> shift) & 15)
    put(digit < 10 ? 48 + digit : 87 + digit)
  }
}
