// Owns turning the machine off, with an exit status where the board can tell it (SiFive test finisher).
import { deviceAddress } from '../arch/address'
import { Property, nextCompatible, property } from '../arch/device-tree'
import { sbiShutdown } from '../arch/sbi'
import { flushConsole } from './dev/console'

@readOnly let finisher: usize = 0

@init export function startPower(): void {
  const found = changetype<Property>(memory.data(16, 8))
  const node = nextCompatible(0, 'sifive,test0')
  if (node != 0 && property(node, 'reg', found)) finisher = deviceAddress(found.cells64(0))
}

/** Does not come back. */
export function shutdown(status: u32): void {
  flushConsole()
  if (finisher != 0) cpu.store32(finisher, status == 0 ? 0x5555 : (status << 16) | 0x3333)
  sbiShutdown(status != 0)
  for (;;) cpu.wfi()
}
