/**
 * The device tree of the `virt` board, as QEMU generates it for its own, with the memory map that both share. What the
 * board does not have (PCI, flash, fw_cfg) is left out; what QEMU does not have (SD card, UINTC, trace) is added.
 */
import { Random } from '../device/random.ts'
import { RECEIVER_COUNT, UINTC_SIZE } from '../device/uintc.ts'
import { cells64, type DeviceTreeNode, type PropertyValue, treeNode } from './device-tree.ts'

/** Addresses and sizes in bytes; `irq` is the PLIC source. */
export const VIRT_MAP = {
  finisher: { base: 0x10_0000, size: 0x1000 },
  rtc: { base: 0x10_1000, size: 0x1000, irq: 11 },
  clint: { base: 0x200_0000, size: 0x1_0000 },
  uintc: { base: 0x2f1_0000, size: UINTC_SIZE },
  plic: { base: 0xc00_0000, size: 0x60_0000, sources: 96 },
  uart: { base: 0x1000_0000, size: 0x100, irq: 10, clockFrequency: 3_686_400 },
  /** Slot n lies n * size further and has source irq + n. */
  virtio: { base: 0x1000_1000, size: 0x1000, irq: 1, slots: 8 },
  /** The controller and source of QEMU's sifive_u; no other device of `virt` has either. */
  spi: { base: 0x1004_0000, size: 0x1000, irq: 51, clockFrequency: 50_000_000 },
  ram: { base: 0x8000_0000 },
} as const

// Interrupt causes, which number a hart's own interrupt inputs
const USER_SOFTWARE = 0
const SUPERVISOR_SOFTWARE = 1
const MACHINE_SOFTWARE = 3
const MACHINE_TIMER = 7
const USER_EXTERNAL = 8
const SUPERVISOR_EXTERNAL = 9
const MACHINE_EXTERNAL = 11

/** The order of single letters in an ISA string (Unprivileged ISA, "ISA Extension Naming Conventions"; N as in the drafts that had it). */
const LETTER_ORDER = 'imafdqlcbjtpvnh'

export interface VirtTreeOptions {
  readonly harts: number
  readonly ramBytes: number
  /** Extension names in lower case, in any order: single letters, and Z and S extensions by their whole names. */
  readonly extensions: readonly string[]
  readonly mmu?: 'sv39' | 'sv48'
  /** Ticks of `time` each second. */
  readonly timebase?: number
  /** The N extension: the PLIC has a context for user mode on each hart. */
  readonly userContexts?: boolean
  readonly uintc?: boolean
  readonly sdCard?: boolean
  /** The trace CSRs are there: guest events cost nothing. */
  readonly trace?: boolean
  readonly bootArguments?: string
  /** Physical addresses; `end` is the first byte after it. */
  readonly initrd?: { readonly start: number; readonly end: number }
  /** From it comes rng-seed; the same seed gives the same tree. */
  readonly seed?: bigint
}

export function virtDeviceTree(options: VirtTreeOptions): DeviceTreeNode {
  // Phandles: harts' interrupt controllers first, then the harts, then what else is pointed at.
  const interruptControllers = Array.from({ length: options.harts }, (_, hart) => hart + 1)
  const harts = interruptControllers.map((phandle) => phandle + options.harts)
  const plic = 2 * options.harts + 1
  const finisher = plic + 1
  const spiClock = plic + 2
  const m = VIRT_MAP

  const wired = (irq: number): Record<string, PropertyValue> => ({ interrupts: [irq], 'interrupt-parent': [plic] })
  const perHart = (...causes: number[]) => interruptControllers.flatMap((phandle) => causes.flatMap((cause) => [phandle, cause]))

  const devices = [
    treeNode('rtc@101000', { ...wired(m.rtc.irq), ...registers(m.rtc), compatible: 'google,goldfish-rtc' }),
    treeNode('serial@10000000', {
      ...wired(m.uart.irq),
      'clock-frequency': [m.uart.clockFrequency],
      ...registers(m.uart),
      compatible: 'ns16550a',
    }),
    treeNode('test@100000', { phandle: [finisher], ...registers(m.finisher), compatible: ['sifive,test1', 'sifive,test0', 'syscon'] }),
  ]
  for (let slot = m.virtio.slots - 1; slot >= 0; slot--) {
    const base = m.virtio.base + slot * m.virtio.size
    const place = registers({ base, size: m.virtio.size })
    devices.push(treeNode(`virtio_mmio@${base.toString(16)}`, { ...wired(m.virtio.irq + slot), ...place, compatible: 'virtio,mmio' }))
  }
  if (options.sdCard) devices.push(spiNode(wired(m.spi.irq), spiClock))
  devices.push(
    treeNode('plic@c000000', {
      phandle: [plic],
      'riscv,ndev': [m.plic.sources - 1],
      ...registers(m.plic),
      'interrupts-extended': [
        ...perHart(MACHINE_EXTERNAL, SUPERVISOR_EXTERNAL),
        // After all others, so that the numbers of those stay what they are without the N extension.
        ...(options.userContexts ? perHart(USER_EXTERNAL) : []),
      ],
      'interrupt-controller': true,
      compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
      '#address-cells': [0],
      '#interrupt-cells': [1],
    }),
    treeNode('clint@2000000', {
      'interrupts-extended': perHart(MACHINE_SOFTWARE, MACHINE_TIMER),
      ...registers(m.clint),
      compatible: ['sifive,clint0', 'riscv,clint0'],
    }),
  )
  if (options.uintc) {
    devices.push(
      treeNode('uintc@2f10000', {
        'interrupts-extended': perHart(USER_SOFTWARE, SUPERVISOR_SOFTWARE),
        'pollen,receivers': [RECEIVER_COUNT],
        ...registers(m.uintc),
        compatible: 'pollen,uintc',
      }),
    )
  }

  return treeNode(
    '',
    {
      '#address-cells': [2],
      '#size-cells': [2],
      compatible: 'riscv-virtio',
      model: 'riscv-virtio,pollen',
      ...(options.trace ? { 'pollen,trace': true } : {}),
    },
    [
      chosenNode(options),
      treeNode('poweroff', { value: [0x5555], offset: [0], regmap: [finisher], compatible: 'syscon-poweroff' }),
      treeNode('reboot', { value: [0x7777], offset: [0], regmap: [finisher], compatible: 'syscon-reboot' }),
      ...(options.sdCard
        ? [
            treeNode('spi-clock', {
              phandle: [spiClock],
              'clock-frequency': [m.spi.clockFrequency],
              '#clock-cells': [0],
              compatible: 'fixed-clock',
            }),
          ]
        : []),
      treeNode('memory@80000000', { device_type: 'memory', ...registers({ base: m.ram.base, size: options.ramBytes }) }),
      hartsNode(options, harts, interruptControllers),
      treeNode('soc', { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true }, devices),
    ],
  )
}

/** `riscv,isa` of RV64: single letters in their order, then Z and S extensions, which underscores part. */
export function isaString(extensions: readonly string[]): string {
  const { letters, names } = sortExtensions(extensions)
  return ['rv64' + letters.join(''), ...names].join('_')
}

/** Z extensions stand by the letter after their Z, and before S extensions (same chapter). */
function sortExtensions(extensions: readonly string[]): { letters: string[]; names: string[] } {
  const letters = [...LETTER_ORDER].filter((letter) => extensions.includes(letter))
  const rank = (name: string) => (name.startsWith('z') ? LETTER_ORDER.indexOf(name[1]) : LETTER_ORDER.length)
  const names = extensions.filter((name) => name.length > 1)
  return { letters, names: names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)) }
}

function chosenNode({ bootArguments, initrd, seed }: VirtTreeOptions): DeviceTreeNode {
  return treeNode('chosen', {
    ...(bootArguments === undefined ? {} : { bootargs: bootArguments }),
    ...(initrd ? { 'linux,initrd-start': cells64(initrd.start), 'linux,initrd-end': cells64(initrd.end) } : {}),
    'rng-seed': new Random(seed ?? 0n).bytes(32),
    'stdout-path': '/soc/serial@10000000',
  })
}

function hartsNode(options: VirtTreeOptions, harts: readonly number[], interruptControllers: readonly number[]): DeviceTreeNode {
  const { letters, names } = sortExtensions(options.extensions)
  const nodes = harts.map((phandle, hart) =>
    treeNode(
      `cpu@${hart}`,
      {
        phandle: [phandle],
        device_type: 'cpu',
        reg: [hart],
        status: 'okay',
        compatible: 'riscv',
        'riscv,isa': isaString(options.extensions),
        'riscv,isa-base': 'rv64i',
        'riscv,isa-extensions': [...letters, ...names],
        'mmu-type': `riscv,${options.mmu ?? 'sv48'}`,
      },
      [
        treeNode('interrupt-controller', {
          '#interrupt-cells': [1],
          'interrupt-controller': true,
          compatible: 'riscv,cpu-intc',
          phandle: [interruptControllers[hart]],
        }),
      ],
    ),
  )
  const cores = harts.map((phandle, hart) => treeNode(`core${hart}`, { cpu: [phandle] }))
  return treeNode('cpus', { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [options.timebase ?? 10_000_000] }, [
    ...nodes,
    treeNode('cpu-map', {}, [treeNode('cluster0', {}, cores)]),
  ])
}

function spiNode(wired: Record<string, PropertyValue>, clock: number): DeviceTreeNode {
  const slot = treeNode('mmc@0', {
    'disable-wp': true,
    'voltage-ranges': [3300, 3300],
    'spi-max-frequency': [20_000_000],
    reg: [0],
    compatible: 'mmc-spi-slot',
  })
  const address = { '#address-cells': [1], '#size-cells': [0] }
  const properties = { ...wired, clocks: [clock], ...registers(VIRT_MAP.spi), ...address, compatible: 'sifive,spi0' }
  return treeNode('spi@10040000', properties, [slot])
}

function registers({ base, size }: { base: number; size: number }): Record<string, PropertyValue> {
  return { reg: [...cells64(base), ...cells64(size)] }
}
