import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDeviceTree, DeviceTreeError, encodeDeviceTree, findNode, printDeviceTree, treeNode } from './device-tree.ts'

const tree = treeNode('', { compatible: ['a,b', 'c,d'], '#address-cells': [2], odd: Uint8Array.of(1, 2, 3), flag: true }, [
  treeNode('soc', { ranges: true }, [treeNode('serial@10000000', { reg: [0, 0x1000_0000, 0, 0x100] })]),
  treeNode('chosen', { bootargs: 'console="ttyS0"' }),
])

describe('flattened device tree (Devicetree Specification 0.4, chapter 5)', () => {
  it('reads back what it wrote', () => {
    expect(decodeDeviceTree(encodeDeviceTree(tree))).toEqual(tree)
  })

  it('lays the header out as section 5.2 says', () => {
    const blob = encodeDeviceTree(tree, 3)
    const view = new DataView(blob.buffer)
    const words = Array.from({ length: 10 }, (_, index) => view.getUint32(index * 4))
    expect(words[0]).toBe(0xd00d_feed)
    expect(words[1]).toBe(blob.length)
    expect([words[4], words[5], words[6], words[7]]).toEqual([40, 17, 16, 3])
    expect(words[2] + words[9]).toBe(words[3])
    expect(view.getUint32(words[2])).toBe(1)
    expect(view.getUint32(words[3] - 4)).toBe(9)
  })

  it('prints source text', () => {
    expect(printDeviceTree(tree).split('\n')).toEqual([
      '/dts-v1/;',
      '',
      '/ {',
      '\tcompatible = "a,b", "c,d";',
      '\t#address-cells = <0x00000002>;',
      '\todd = [01 02 03];',
      '\tflag;',
      '',
      '\tsoc {',
      '\t\tranges;',
      '',
      '\t\tserial@10000000 {',
      '\t\t\treg = <0x00000000 0x10000000 0x00000000 0x00000100>;',
      '\t\t};',
      '\t};',
      '',
      '\tchosen {',
      '\t\tbootargs = "console=\\"ttyS0\\"";',
      '\t};',
      '};',
      '',
    ])
  })

  it('finds nodes by path', () => {
    expect(findNode(tree, '/soc/serial@10000000')?.name).toBe('serial@10000000')
    expect(findNode(tree, '/soc/serial')?.name).toBe('serial@10000000')
    expect(findNode(tree, '/soc/none')).toBeUndefined()
    expect(findNode(tree, '/none/serial')).toBeUndefined()
    expect(findNode(tree, '/')).toBe(tree)
  })
})

describe('a blob from the user', () => {
  const blob = encodeDeviceTree(tree)
  const patched = (offset: number, value: number) => {
    const copy = blob.slice()
    new DataView(copy.buffer).setUint32(offset, value)
    return copy
  }

  it.each([
    [new Uint8Array(), 'not a device tree: 0 bytes are less than a header'],
    [
      new TextEncoder().encode('/dts-v1/; / { compatible = "this is source text"; };'),
      'not a device tree: it does not begin with d00dfeed',
    ],
    [blob.subarray(0, 100), `truncated device tree: 100 of ${blob.length} bytes`],
    [patched(20, 3), 'device tree of version 3: versions 16 and 17 are understood'],
    [patched(8, 0xffff_fff0), 'corrupt device tree: a block lies outside the file'],
    [patched(56, 7), 'corrupt device tree: unknown token 7 at offset 0x3c'],
  ])('is refused by one line that says why', (bytes, message) => {
    expect(() => decodeDeviceTree(bytes)).toThrow(new DeviceTreeError(message))
  })

  it('may be followed by padding', () => {
    const longer = new Uint8Array(blob.length + 100)
    longer.set(blob)
    expect(decodeDeviceTree(longer)).toEqual(tree)
  })

  it('is read or refused by one line, however it is damaged', () => {
    const damage = fc.record({ at: fc.nat(blob.length - 1), value: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 6 }), fc.nat(blob.length), (damages, length) => {
        const copy = blob.slice(0, length % 3 === 0 ? length : blob.length)
        for (const { at, value } of damages) copy[at] = value
        try {
          decodeDeviceTree(copy)
        } catch (error) {
          expect(error).toBeInstanceOf(DeviceTreeError)
          expect((error as Error).message).not.toContain('\n')
        }
      }),
      { numRuns: 2000 },
    )
  })
})
