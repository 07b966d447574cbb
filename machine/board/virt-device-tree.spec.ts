import { describe, expect, it } from 'vitest'
import { decodeDeviceTree, type DeviceTreeNode, encodeDeviceTree, findNode, propertyBytes, type PropertyValue } from './device-tree.ts'
import { isaString, virtDeviceTree, type VirtTreeOptions } from './virt-device-tree.ts'

const EXTENSIONS = ['i', 'm', 'a', 'f', 'd', 'c', 'zicsr', 'zifencei', 'zicntr', 'zihpm', 'sstc']
const OPTIONS: VirtTreeOptions = { harts: 2, ramBytes: 0x800_0000, extensions: EXTENSIONS }

/** As a guest sees it: encoded and read back. */
function make(options: Partial<VirtTreeOptions> = {}) {
  const root = decodeDeviceTree(encodeDeviceTree(virtDeviceTree({ ...OPTIONS, ...options })))
  const property = (path: string, name: string) => findNode(root, path)?.properties.get(name)
  const check = (path: string, name: string, value: PropertyValue) =>
    expect(property(path, name), `${path} ${name}`).toEqual(propertyBytes(value))
  return { root, property, check, node: (path: string) => findNode(root, path) }
}

describe('device tree of virt', () => {
  it('describes harts with their ISA and interrupt controllers', () => {
    const { check, node } = make()
    expect(node('/cpus')!.children.map(({ name }) => name)).toEqual(['cpu@0', 'cpu@1', 'cpu-map'])
    check('/cpus', 'timebase-frequency', [10_000_000])
    check('/cpus/cpu@1', 'reg', [1])
    check('/cpus/cpu@1', 'riscv,isa', 'rv64imafdc_zicntr_zicsr_zifencei_zihpm_sstc')
    check('/cpus/cpu@1', 'mmu-type', 'riscv,sv48')
    check('/cpus/cpu@1/interrupt-controller', 'compatible', 'riscv,cpu-intc')
  })

  it("has QEMU's addresses and interrupt numbers", () => {
    const { check } = make()
    check('/memory', 'reg', [0, 0x8000_0000, 0, 0x800_0000])
    check('/soc/serial', 'reg', [0, 0x1000_0000, 0, 0x100])
    check('/soc/serial', 'interrupts', [10])
    check('/soc/serial', 'clock-frequency', [3_686_400])
    check('/soc/virtio_mmio@10001000', 'interrupts', [1])
    check('/soc/virtio_mmio@10008000', 'interrupts', [8])
    check('/soc/rtc', 'interrupts', [11])
    check('/soc/test', 'compatible', ['sifive,test1', 'sifive,test0', 'syscon'])
    check('/soc/plic', 'riscv,ndev', [95])
    check('/soc/plic', 'interrupts-extended', [1, 11, 1, 9, 2, 11, 2, 9])
    check('/soc/clint', 'interrupts-extended', [1, 3, 1, 7, 2, 3, 2, 7])
    check('/chosen', 'stdout-path', '/soc/serial@10000000')
  })

  it('points every phandle at the node that is meant, and gives none twice', () => {
    const { root, property } = make({ sdCard: true, uintc: true })
    const seen = new Map<number, string>()
    const visit = (node: DeviceTreeNode) => {
      const value = node.properties.get('phandle')
      if (value) {
        const phandle = new DataView(value.buffer).getUint32(0)
        expect(seen.has(phandle)).toBe(false)
        seen.set(phandle, node.name)
      }
      node.children.forEach(visit)
    }
    visit(root)
    const target = (path: string, name: string) => seen.get(new DataView(property(path, name)!.buffer).getUint32(0))
    expect(target('/poweroff', 'regmap')).toBe('test@100000')
    expect(target('/reboot', 'regmap')).toBe('test@100000')
    expect(target('/soc/serial', 'interrupt-parent')).toBe('plic@c000000')
    expect(target('/soc/spi', 'clocks')).toBe('spi-clock')
    expect(target('/soc/clint', 'interrupts-extended')).toBe('interrupt-controller')
    expect(target('/cpus/cpu-map/cluster0/core1', 'cpu')).toBe('cpu@1')
  })

  it('shows options only where they are on', () => {
    const plain = make()
    for (const path of ['/soc/spi', '/soc/uintc', '/spi-clock']) expect(plain.node(path)).toBeUndefined()
    expect(plain.property('/', 'pollen,trace')).toBeUndefined()
    expect(plain.property('/chosen', 'bootargs')).toBeUndefined()
    const { check } = make({
      sdCard: true,
      uintc: true,
      userContexts: true,
      trace: true,
      mmu: 'sv39',
      bootArguments: 'root=/dev/vda',
      initrd: { start: 0x8800_0000, end: 0x8810_0000 },
    })
    check('/', 'pollen,trace', true)
    check('/soc/spi/mmc', 'compatible', 'mmc-spi-slot')
    check('/soc/uintc', 'reg', [0, 0x2f1_0000, 0, 0x4000])
    check('/soc/plic', 'interrupts-extended', [1, 11, 1, 9, 2, 11, 2, 9, 1, 8, 2, 8])
    check('/cpus/cpu', 'mmu-type', 'riscv,sv39')
    check('/chosen', 'bootargs', 'root=/dev/vda')
    check('/chosen', 'linux,initrd-start', [0, 0x8800_0000])
    check('/chosen', 'linux,initrd-end', [0, 0x8810_0000])
  })

  it('draws rng-seed from the seed alone', () => {
    const seed = (value: bigint) => make({ seed: value }).property('/chosen', 'rng-seed')
    expect(seed(1n)).toEqual(seed(1n))
    expect(seed(1n)).toHaveLength(32)
    expect(seed(2n)).not.toEqual(seed(1n))
  })

  it('orders extensions as the specification does', () => {
    expect(isaString(['sstc', 'zbb', 'zicsr', 'n', 'c', 'd', 'f', 'a', 'm', 'i'])).toBe('rv64imafdcn_zicsr_zbb_sstc')
  })
})
