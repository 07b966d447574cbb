/** The named memory layouts of programs (contracts.md, "Guest memory"). */
import type { AddressModel } from '../codegen/lower.ts'
import type { Layout } from '../link/index.ts'

export interface ProgramLayout {
  readonly name: string
  readonly model: AddressModel
  /** Where code is linked, and where it is in physical memory. */
  readonly text: bigint
  readonly load: bigint
  /** Where static data begins, as the program's 32-bit pointers have it. Code must end before. */
  readonly data: number
  /** Room for everything. */
  readonly length: bigint
}

export const programLayouts: Readonly<Record<string, ProgramLayout>> = {
  /** M-mode on the bare board: firmware, and programs without an operating system. */
  firmware: { name: 'firmware', model: 'physical', text: 0x8000_0000n, load: 0x8000_0000n, data: 0x8010_0000, length: 0x20_0000n },
  /** Room for programs of any size, where nothing follows the firmware. */
  bare: { name: 'bare', model: 'physical', text: 0x8000_0000n, load: 0x8000_0000n, data: 0x8040_0000, length: 0x800_0000n },
  /** An S-mode kernel at physical 0x80200000; 2 MiB of code, so that code and data can have different big pages. */
  kernel: { name: 'kernel', model: 'signed', text: 0xffff_ffff_8020_0000n, load: 0x8020_0000n, data: 0x8040_0000, length: 0x3fe0_0000n },
  /** A process. */
  program: { name: 'program', model: 'signed', text: 0x1_0000n, load: 0x1_0000n, data: 0x100_0000, length: 0x6fff_0000n },
}

/** The linker's layout. */
export function linkLayout(layout: ProgramLayout, stack: number): Layout {
  const region = 'ram'
  const data = layout.text >= 1n << 63n ? BigInt.asUintN(64, BigInt.asIntN(32, BigInt(layout.data))) : BigInt(layout.data)
  return {
    name: layout.name,
    entry: '_start',
    regions: [{ name: region, origin: layout.text, length: layout.length, load: layout.load }],
    sections: [
      {
        name: '.text',
        region,
        inputs: ['.text.init', '.text.start', '.text', '.text.*'],
        provide: { __text_start: 'start', __text_end: 'end' },
      },
      {
        name: '.rodata',
        region,
        alignment: 4096,
        inputs: ['.rodata', '.rodata.*', '.srodata', '.srodata.*'],
      },
      // Addresses of the guest's trace sites, 8 bytes each (contracts.md, "Trace").
      {
        name: '.pollen.trace',
        region,
        alignment: 8,
        inputs: ['.pollen.trace'],
        provide: { __pollen_trace_start: 'start', __pollen_trace_end: 'end' },
      },
      { name: '.pollen.frames', region, alignment: 8, inputs: ['.pollen.frames'], provide: { __code_end: 'end' } },
      {
        name: '.data',
        region,
        alignment: 4096,
        address: data,
        inputs: ['.wasm.*.data', '.data', '.data.*', '.sdata', '.sdata.*'],
        provide: { __data_start: 'start' },
      },
      {
        name: '.bss',
        region,
        alignment: 16,
        inputs: ['.wasm.*.bss', '.bss', '.bss.*', '.sbss', '.sbss.*', 'COMMON'],
        provide: { __bss_start: 'start', __bss_end: 'end' },
      },
      { name: '.stack', region, alignment: 16, size: stack, provide: { __stack_bottom: 'start', __stack_top: 'end', __heap_start: 'end' } },
    ],
  }
}
