import fc from 'fast-check'
import * as fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DiskImage, type FileCalls, memoryImage, openDiskImage } from './disk-image.ts'

const SECTOR = 512

function filled(value: number, length = SECTOR): Uint8Array {
  return new Uint8Array(length).fill(value)
}

describe('copy-on-write image', () => {
  it('reads its base until written, and never changes it', () => {
    const base = filled(1, 16 * SECTOR)
    const image = memoryImage(base)
    image.write(7, filled(2, 2 * SECTOR)) // across a block
    expect(image.sectors).toBe(16)
    expect([...image.read(6, 4)]).toEqual([...filled(1), ...filled(2, 2 * SECTOR), ...filled(1)])
    expect(base.every((byte) => byte === 1)).toBe(true)
  })

  it('pads an odd size with zeros to a whole sector', () => {
    const image = memoryImage(filled(1, 700))
    expect(image.sectors).toBe(2)
    expect([...image.read(1, 1)]).toEqual([...filled(1, 188), ...filled(0, 324)])
  })

  it('goes back to a snapshot however it was changed since', () => {
    const model = fc.array(
      fc.record({ sector: fc.nat(20), count: fc.integer({ min: 1, max: 12 }), value: fc.nat(255), kind: fc.constantFrom('write', 'zero') }),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(model, model, (before, after) => {
        const image = memoryImage(filled(9, 33 * SECTOR - 5))
        const plain = image.read(0, 33)
        const apply = (steps: typeof before) => {
          for (const { sector, count, value, kind } of steps) {
            if (kind === 'zero') image.zero(sector, count)
            else image.write(sector, filled(value, count * SECTOR))
          }
        }
        for (const { sector, count, value, kind } of before)
          plain.fill(kind === 'zero' ? 0 : value, sector * SECTOR, (sector + count) * SECTOR)
        apply(before)
        expect(Buffer.compare(image.read(0, 33), plain)).toBe(0)
        const state = image.save()
        apply(after)
        image.load(state)
        expect(Buffer.compare(image.read(0, 33), plain)).toBe(0)
      }),
    )
  })
})

describe('image files', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pollen-disk-'))
    file = path.join(folder, 'disk.img')
    fs.writeFileSync(file, filled(1, 4 * SECTOR))
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('leaves the file alone without write-back', () => {
    const image = openDiskImage(file)
    image.write(0, filled(2))
    image.flush()
    image.close()
    expect(fs.readFileSync(file)[0]).toBe(1)
    expect(fs.readdirSync(folder)).toEqual(['disk.img'])
  })

  it('keeps what was written with write-back, and leaves no journal behind', () => {
    const image = openDiskImage(file, { writeBack: true })
    image.write(3, filled(2))
    image.flush()
    expect(fs.readFileSync(file)[3 * SECTOR]).toBe(2)
    image.write(0, filled(3))
    expect(fs.readFileSync(file)[0]).toBe(1)
    image.close()
    expect(fs.readFileSync(file)[0]).toBe(3)
    expect(fs.statSync(file).size).toBe(4 * SECTOR)
    expect(fs.readdirSync(folder)).toEqual(['disk.img'])
  })

  it('goes back to a snapshot older than a commit', () => {
    const image = openDiskImage(file, { writeBack: true })
    const state = image.save()
    image.write(0, filled(2))
    image.flush()
    image.load(state)
    expect(image.read(0, 1)).toEqual(filled(1))
    image.close()
    expect(fs.readFileSync(file)[0]).toBe(1)
  })

  it('refuses what is no image with one line that names it', () => {
    const odd = path.join(folder, 'odd.img')
    fs.writeFileSync(odd, filled(1, 700))
    expect(() => openDiskImage(odd, { writeBack: true })).toThrow(/odd\.img: 700 bytes are not a multiple of 512.*truncate/)
    const empty = path.join(folder, 'empty.img')
    fs.writeFileSync(empty, '')
    expect(() => openDiskImage(empty)).toThrow(/empty\.img: is empty/)
    expect(() => openDiskImage(path.join(folder, 'none.img'))).toThrow(/none\.img: cannot be opened: ENOENT/)
    expect(() => openDiskImage(folder)).toThrow(/is not a regular file/)
  })
})

/** Files in memory that remember which changes were synchronised, to lose others as a power cut does. */
class FragileDisk {
  readonly files = new Map<string, FragileFile>()
  private readonly open = new Map<number, FragileFile>()
  private next = 3
  /** Steps until everything fails; each byte written and each other change is one. */
  constructor(public steps = Infinity) {}

  private step(): void {
    if (this.steps-- <= 0) throw new Error('killed')
  }

  readonly calls = {
    openSync: (file: string, flags: string) => {
      let found = this.files.get(file)
      if (!found && flags !== 'w+') found = new FragileFile() // a folder
      if (!found) {
        this.step()
        this.files.set(file, (found = new FragileFile()))
      }
      this.open.set(this.next, found)
      return this.next++
    },
    closeSync: (descriptor: number) => this.open.delete(descriptor),
    fstatSync: (descriptor: number) => ({ isFile: () => true, size: this.open.get(descriptor)!.bytes.length, ino: 1 }),
    readSync: (descriptor: number, target: Uint8Array, offset: number, length: number, position: number) => {
      const part = this.open.get(descriptor)!.bytes.slice(position, position + length)
      target.set(part, offset)
      return part.length
    },
    writeSync: (descriptor: number, source: Uint8Array, offset: number, length: number, position: number) => {
      if (this.steps <= 0) throw new Error('killed')
      const count = Math.min(length, this.steps)
      this.steps -= count
      this.open.get(descriptor)!.change({ position, bytes: source.slice(offset, offset + count) })
      return count
    },
    ftruncateSync: (descriptor: number, length: number) => {
      this.step()
      this.open.get(descriptor)!.change({ length })
    },
    fsyncSync: (descriptor: number) => {
      this.step()
      this.open.get(descriptor)!.synchronise()
    },
    unlinkSync: (file: string) => {
      this.step()
      this.files.delete(file)
    },
    existsSync: (file: string) => this.files.has(file),
  } as unknown as FileCalls
}

type Change = { position: number; bytes: Uint8Array } | { length: number }

class FragileFile {
  bytes: Uint8Array
  private durable: Uint8Array
  private pending: Change[] = []
  constructor(content: Uint8Array = new Uint8Array()) {
    this.bytes = content
    this.durable = content
  }
  change(change: Change): void {
    this.bytes = apply(this.bytes, change)
    this.pending.push(change)
  }
  synchronise(): void {
    this.durable = this.bytes
    this.pending = []
  }
  /** Of the changes not synchronised only those survive for which `keep` says so. */
  powerCut(keep: () => boolean): void {
    this.bytes = this.pending.filter(keep).reduce(apply, this.durable)
    this.synchronise()
  }
}

function apply(bytes: Uint8Array, change: Change): Uint8Array {
  if ('length' in change) return bytes.slice(0, change.length)
  const result = new Uint8Array(Math.max(bytes.length, change.position + change.bytes.length))
  result.set(bytes)
  result.set(change.bytes, change.position)
  return result
}

describe('write-back survives a kill', () => {
  const SECTORS = 24
  /** Three commits; generation n writes n into some sectors of two blocks. */
  function work(image: DiskImage): void {
    for (const generation of [1, 2, 3]) {
      image.write(generation, filled(generation, 2 * SECTOR))
      image.write(9 + generation, filled(generation, 3 * SECTOR))
      image.flush()
    }
    image.close()
  }
  const generations: Uint8Array[] = []
  {
    const plain = memoryImage(filled(0, SECTORS * SECTOR))
    generations.push(plain.read(0, SECTORS))
    for (const generation of [1, 2, 3]) {
      plain.write(generation, filled(generation, 2 * SECTOR))
      plain.write(9 + generation, filled(generation, 3 * SECTOR))
      generations.push(plain.read(0, SECTORS))
    }
  }
  const start = (steps: number) => {
    const disk = new FragileDisk(steps)
    disk.files.set('disk.img', new FragileFile(filled(0, SECTORS * SECTOR)))
    return disk
  }
  const whole = (() => {
    const disk = start(1e9)
    work(openDiskImage('disk.img', { writeBack: true, calls: disk.calls }))
    return 1e9 - disk.steps
  })()

  function crash(steps: number): FragileDisk {
    const disk = start(steps)
    try {
      work(openDiskImage('disk.img', { writeBack: true, calls: disk.calls }))
      throw new Error('was to be killed')
    } catch (error) {
      expect(String(error)).toMatch(/killed$/)
    }
    return disk
  }

  /** The generation the image is in after opening it again; not one of them fails the test. */
  function recover(disk: FragileDisk, writeBack: boolean): number {
    disk.steps = Infinity
    const image = openDiskImage('disk.img', { writeBack, calls: disk.calls })
    const content = image.read(0, SECTORS)
    image.close()
    const generation = generations.findIndex((expected) => Buffer.compare(expected, content) === 0)
    expect(generation).toBeGreaterThanOrEqual(0)
    if (writeBack) {
      expect(Buffer.compare(disk.files.get('disk.img')!.bytes, content)).toBe(0)
      expect([...disk.files.keys()]).toEqual(['disk.img'])
    }
    return generation
  }

  it('at any byte and any call, leaving one of the flushed states, in order', () => {
    let last = 0
    for (let steps = 0; steps < whole; steps += steps % 4096 < 64 ? 1 : 61) {
      const generation = recover(crash(steps), true)
      expect(generation).toBeGreaterThanOrEqual(last)
      last = generation
    }
    expect(last).toBe(3)
  })

  it('and a power cut that keeps any part of what was not synchronised', () => {
    fc.assert(
      fc.property(fc.nat(whole - 1), fc.infiniteStream(fc.boolean()), (steps, keeps) => {
        const disk = crash(steps)
        for (const file of disk.files.values()) file.powerCut(() => keeps.next().value)
        recover(disk, true)
      }),
      { numRuns: 300 },
    )
  })

  it('and a second kill during recovery', () => {
    fc.assert(
      fc.property(fc.nat(whole - 1), fc.nat(30_000), fc.infiniteStream(fc.boolean()), (steps, again, keeps) => {
        const disk = crash(steps)
        disk.steps = again
        try {
          openDiskImage('disk.img', { writeBack: true, calls: disk.calls })
        } catch (error) {
          expect(String(error)).toMatch(/killed$/)
        }
        for (const file of disk.files.values()) file.powerCut(() => keeps.next().value)
        recover(disk, true)
      }),
      { numRuns: 300 },
    )
  })

  it('shows the recovered state without write-back, too, and leaves the files as they are', () => {
    for (let steps = 0; steps < whole; steps += 997) {
      const disk = crash(steps)
      const before = new Map([...disk.files].map(([name, file]) => [name, file.bytes]))
      const generation = recover(disk, false)
      for (const [name, bytes] of before) expect(disk.files.get(name)!.bytes).toBe(bytes)
      expect(recover(disk, true)).toBe(generation)
    }
  })

  it('after a flush that failed halfway and was repeated', () => {
    fc.assert(
      fc.property(fc.nat(whole - 1), fc.nat(20_000), fc.infiniteStream(fc.boolean()), (steps, more, keeps) => {
        const disk = start(Infinity)
        const image = openDiskImage('disk.img', { writeBack: true, calls: disk.calls })
        disk.steps = steps
        let failed = false
        for (const generation of [1, 2, 3]) {
          image.write(generation, filled(generation, 2 * SECTOR))
          image.write(9 + generation, filled(generation, 3 * SECTOR))
          try {
            image.flush()
          } catch {
            if (!failed) disk.steps = more
            failed = true
          }
        }
        for (const file of disk.files.values()) file.powerCut(() => keeps.next().value)
        recover(disk, true)
      }),
      { numRuns: 300 },
    )
  })

  it('and refuses to carry the journal of one image into another', () => {
    const disk = start(Infinity)
    const image = openDiskImage('disk.img', { writeBack: true, calls: disk.calls })
    image.write(0, filled(1))
    // Opening and emptying the journal, its header, two numbers and blocks, its hash, then the synchronisations.
    disk.steps = 1 + 1 + 1 + 32 + 8 + 4096 + 32 + 1 + 100
    expect(() => image.flush()).toThrow('disk.img: cannot be written: killed')
    disk.steps = Infinity
    disk.files.set('disk.img', new FragileFile(filled(7, 2 * SECTORS * SECTOR)))
    for (const writeBack of [false, true]) {
      expect(() => openDiskImage('disk.img', { writeBack, calls: disk.calls })).toThrow(/pollen-journal: holds changes to another image/)
    }
    expect(disk.files.get('disk.img')!.bytes.every((byte) => byte === 7)).toBe(true)
  })

  it('never loses what a flush has promised', () => {
    for (let steps = 0; steps < whole; steps += 211) {
      const disk = start(steps)
      let promised = 0
      try {
        const image = openDiskImage('disk.img', { writeBack: true, calls: disk.calls })
        for (const generation of [1, 2, 3]) {
          image.write(generation, filled(generation, 2 * SECTOR))
          image.write(9 + generation, filled(generation, 3 * SECTOR))
          image.flush()
          promised = generation
        }
        image.close()
      } catch (error) {
        expect(String(error)).toMatch(/killed$/)
      }
      for (const file of disk.files.values()) file.powerCut(() => false)
      expect(recover(disk, true)).toBeGreaterThanOrEqual(promised)
    }
  })
})
