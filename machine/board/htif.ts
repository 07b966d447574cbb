/**
 * HTIF, the host interface of riscv-tests and of many bare-metal programs: a guest stores a command to `tohost` and, where it
 * waits for an answer, watches `fromhost`. A command is {63:56 device, 55:48 command, 47:0 payload}.
 *
 *   device 0, payload odd    exit with status payload >> 1
 *   device 0, payload even   system call proxy: payload points at {number, a0, a1, a2}; write and exit are served
 *   device 1, command 1      put the character payload
 */
export interface HtifHost {
  readDoubleword(address: number): bigint | undefined
  writeDoubleword(address: number, value: bigint): void
  readBytes(address: number, length: number): Uint8Array | undefined
  putBytes(bytes: Uint8Array): void
  exit(status: number): void
}

const SYS_WRITE = 64n
const SYS_EXIT = 93n

export class Htif {
  constructor(
    private readonly host: HtifHost,
    private readonly tohost: number,
    private readonly fromhost: number | undefined,
  ) {}

  /** The guest stored this to `tohost`. */
  command(low: number, high: number): void {
    if (low === 0 && high === 0) return
    const device = high >>> 24
    const payload = low + (high & 0xffff) * 2 ** 32
    if (device === 0) {
      if (low & 1) return this.host.exit(Math.floor(payload / 2) & 0xff)
      this.systemCall(payload)
    } else if (device === 1 && ((high >>> 16) & 0xff) === 1) {
      this.host.putBytes(Uint8Array.of(low & 0xff))
    }
    this.acknowledge((BigInt(high >>> 16) << 48n) | 1n)
  }

  private systemCall(address: number): void {
    const [number, , a1, a2] = [0, 8, 16, 24].map((offset) => this.host.readDoubleword(address + offset))
    const a0 = this.host.readDoubleword(address + 8)
    if (number === undefined || a0 === undefined || a1 === undefined || a2 === undefined) return
    if (number === SYS_EXIT) return this.host.exit(Number(a0 & 0xffn))
    if (number !== SYS_WRITE) return this.host.writeDoubleword(address, -38n)
    const bytes = this.host.readBytes(Number(a1), Math.min(Number(a2), 65536))
    if (bytes) this.host.putBytes(bytes)
    this.host.writeDoubleword(address, bytes ? BigInt(bytes.length) : -14n)
  }

  private acknowledge(answer: bigint): void {
    this.host.writeDoubleword(this.tohost, 0n)
    if (this.fromhost !== undefined) this.host.writeDoubleword(this.fromhost, answer)
  }
}
