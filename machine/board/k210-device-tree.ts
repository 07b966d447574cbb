/** The device tree that firmware on a K210 gets: what the board has, with the names that drivers for the chip look for. */
import { cells64, type DeviceTreeNode, type PropertyValue, treeNode } from './device-tree.ts'
import { K210_MAP } from './k210-map.ts'

export interface K210TreeOptions {
  readonly harts: number
  /** Ticks of mtime per second. */
  readonly timebase: number
}

const MACHINE_SOFTWARE = 3
const MACHINE_TIMER = 7
const MACHINE_EXTERNAL = 11

export function k210DeviceTree({ harts, timebase }: K210TreeOptions): DeviceTreeNode {
  const numbers = Array.from({ length: harts }, (_, hart) => hart)
  const controller = (hart: number) => hart + 1
  const plic = harts + 1
  const m = K210_MAP
  const place = ({ base, size }: { base: number; size: number }): Record<string, PropertyValue> => ({
    reg: [...cells64(base), ...cells64(size)],
  })
  const wired = (...interrupts: number[]): Record<string, PropertyValue> => ({ interrupts, 'interrupt-parent': [plic] })
  const perHart = (...causes: number[]) => numbers.flatMap((hart) => causes.flatMap((cause) => [controller(hart), cause]))

  const cpus = numbers.map((hart) =>
    treeNode(
      `cpu@${hart}`,
      {
        device_type: 'cpu',
        reg: [hart],
        status: 'okay',
        compatible: ['canaan,k210', 'riscv'],
        'riscv,isa': 'rv64imafdc',
        'riscv,priv-major': [1],
        'riscv,priv-minor': [9],
        'mmu-type': 'riscv,sv39',
      },
      [
        treeNode('interrupt-controller', {
          phandle: [controller(hart)],
          '#interrupt-cells': [1],
          'interrupt-controller': true,
          compatible: 'riscv,cpu-intc',
        }),
      ],
    ),
  )
  const devices = [
    treeNode('clint@2000000', {
      ...place(m.clint),
      'interrupts-extended': perHart(MACHINE_SOFTWARE, MACHINE_TIMER),
      compatible: ['canaan,k210-clint', 'sifive,clint0'],
    }),
    treeNode('interrupt-controller@c000000', {
      ...place(m.plic),
      phandle: [plic],
      'riscv,ndev': [m.plic.sources - 1],
      'interrupts-extended': perHart(MACHINE_EXTERNAL),
      'interrupt-controller': true,
      '#interrupt-cells': [1],
      compatible: ['canaan,k210-plic', 'sifive,plic-1.0.0'],
    }),
    treeNode('serial@38000000', { ...place(m.uarths), ...wired(m.uarths.irq), compatible: ['canaan,k210-uarths', 'sifive,uart0'] }),
    treeNode('gpio-controller@38001000', { ...place(m.gpiohs), compatible: ['canaan,k210-gpiohs', 'sifive,gpio0'] }),
    treeNode('dma-controller@50000000', {
      ...place(m.dmac),
      ...wired(...[0, 1, 2, 3, 4, 5].map((channel) => m.dmac.irq + channel)),
      compatible: 'canaan,k210-axi-dma',
    }),
    treeNode('pinmux@502b0000', { ...place(m.fpioa), compatible: 'canaan,k210-fpioa' }),
    treeNode('syscon@50440000', { ...place(m.sysctl), compatible: ['canaan,k210-sysctl', 'syscon'] }),
    treeNode('spi@52000000', { ...place(m.spi[0]), ...wired(m.spi[0].irq), compatible: 'canaan,k210-spi' }),
    treeNode('test@100000', { ...place(m.finisher), compatible: ['sifive,test1', 'sifive,test0'] }),
  ]
  const memory = { device_type: 'memory', ...place(m.ram) }
  return treeNode(
    '',
    { '#address-cells': [2], '#size-cells': [2], compatible: ['canaan,kendryte-k210'], model: 'k210,pollen', 'pollen,trace': true },
    [
      treeNode('chosen', { 'stdout-path': '/soc/serial@38000000' }),
      treeNode('cpus', { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [timebase] }, cpus),
      treeNode('memory@80000000', memory),
      treeNode('soc', { '#address-cells': [2], '#size-cells': [2], compatible: ['canaan,k210-soc', 'simple-bus'], ranges: true }, devices),
    ],
  )
}
