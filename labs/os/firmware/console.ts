// Text on the serial port: the firmware's last words.
import { put } from './board-virt'

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
