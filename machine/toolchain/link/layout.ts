/** Where a program's sections go: the linker's script as an object. */

/** A range of addresses that sections fill from its start. */
export interface Region {
  readonly name: string
  /** First virtual address. */
  readonly origin: bigint
  readonly length: bigint
  /** Where `origin` is in physical memory when the program is loaded; the same as `origin` if absent. */
  readonly load?: bigint
}

/** What a symbol of the layout says about its section. `load` is the physical address of the start. */
export type ProvidedValue = 'start' | 'end' | 'size' | 'load'

export interface LayoutSection {
  readonly name: string
  /** Input sections in this order of patterns; `*` stands for any text, e.g. `.text.*`. */
  readonly inputs?: readonly string[]
  readonly region: string
  /** The contents wait in this region until start-up code copies them (data in flash). */
  readonly loadRegion?: string
  /** At least this alignment, in bytes. */
  readonly alignment?: number
  /** Fixed start; must not lie before the end of the section before. */
  readonly address?: bigint
  /** Never dropped as unreferenced. */
  readonly keep?: boolean
  /** At least this many bytes, for stacks and heaps. */
  readonly size?: number
  /** Symbols to define unless an object does. */
  readonly provide?: Readonly<Record<string, ProvidedValue>>
}

export interface Layout {
  readonly name: string
  /** The symbol where the program starts. */
  readonly entry: string
  readonly regions: readonly Region[]
  readonly sections: readonly LayoutSection[]
  /** Further symbols with fixed values, defined unless an object does. */
  readonly symbols?: Readonly<Record<string, bigint>>
  /** Drop sections that nothing reachable from `entry` and the kept ones refers to. */
  readonly collect?: boolean
}

export interface FlatOptions {
  readonly entry?: string
  readonly length?: bigint
  /** Physical address of `address`. */
  readonly load?: bigint
  /** Bytes of stack after `.bss`, ending at `__stack_top`. */
  readonly stack?: number
  readonly collect?: boolean
}

/** Everything in one piece of memory from `address` on: code, constants, data, zeros, stack. */
export function flatLayout(address: bigint, options: FlatOptions = {}): Layout {
  const region = 'ram'
  return {
    name: 'flat',
    entry: options.entry ?? '_start',
    collect: options.collect ?? false,
    regions: [{ name: region, origin: address, length: options.length ?? 128n << 20n, load: options.load }],
    sections: [
      {
        name: '.text',
        region,
        inputs: ['.text.init', '.text.start', '.text', '.text.*'],
        provide: { __text_start: 'start', __text_end: 'end', _etext: 'end', etext: 'end' },
      },
      { name: '.rodata', region, alignment: 16, inputs: ['.rodata', '.rodata.*', '.srodata', '.srodata.*'] },
      {
        name: '.init_array',
        region,
        keep: true,
        inputs: ['.preinit_array', '.init_array', '.init_array.*'],
        provide: { __init_array_start: 'start', __init_array_end: 'end' },
      },
      { name: '.got', region, inputs: ['.got', '.got.*'] },
      {
        name: '.data',
        region,
        alignment: 16,
        inputs: ['.data', '.data.*', '.sdata', '.sdata.*'],
        provide: { __data_start: 'start', _edata: 'end', edata: 'end' },
      },
      {
        name: '.bss',
        region,
        alignment: 8,
        inputs: ['.sbss', '.sbss.*', '.bss', '.bss.*', 'COMMON'],
        provide: { __bss_start: 'start', __bss_end: 'end', ...(options.stack ? {} : { _end: 'end', end: 'end' }) },
      },
      ...(options.stack
        ? [
            {
              name: '.stack',
              region,
              alignment: 16,
              size: options.stack,
              provide: { __stack_bottom: 'start', __stack_top: 'end', _end: 'end', end: 'end' } as const,
            },
          ]
        : []),
    ],
  }
}
