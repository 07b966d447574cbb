/**
 * The virtio entropy device (virtio 1.2, section 5.4). Its bytes come from a generator with a seed of the board's, so
 * that a run can be repeated; nothing here is secret.
 */
import type { Clock, DeviceState } from './device.ts'
import { InFlight } from './in-flight.ts'
import { Random } from './random.ts'
import type { TransferTiming } from './timing.ts'
import type { VirtioModel, VirtioTransport } from './virtio-mmio.ts'
import { type Chain, scatter, segmentBytes } from './virtqueue.ts'

const DEVICE_ID = 4
const QUEUE_SIZE = 8
const MOST_BUFFER_BYTES = 2 ** 20
/** A buffer may be returned partly filled (5.4.6.2). */
const MOST_ANSWER_BYTES = 4096

export class VirtioEntropy implements VirtioModel {
  readonly deviceId = DEVICE_ID
  readonly features = 0n
  readonly queueSizes = [QUEUE_SIZE]
  readonly config = new Uint8Array()
  private transport!: VirtioTransport
  private readonly random: Random
  private readonly inFlight: InFlight<Chain>

  constructor(clock: Clock, seed: bigint, timing: TransferTiming) {
    this.random = new Random(seed)
    this.inFlight = new InFlight(clock, timing, (chain) => this.complete(chain))
  }

  attach(transport: VirtioTransport): void {
    this.transport = transport
  }

  notify(): void {
    while (this.inFlight.count < QUEUE_SIZE) {
      const chain = this.transport.pop(0, MOST_BUFFER_BYTES)
      if (!chain) return
      this.inFlight.submit(chain, answerBytes(chain))
    }
  }

  writeConfig(): void {}

  abandon(): void {
    this.inFlight.drop(() => true)
  }

  save(): DeviceState {
    return { random: this.random.save(), inFlight: this.inFlight.save() }
  }

  load(state: DeviceState): void {
    this.random.load(state.random as bigint[])
    this.inFlight.load(state.inFlight as DeviceState)
  }

  private complete(chain: Chain): void {
    this.transport.guarded(() => {
      const bytes = this.random.bytes(answerBytes(chain))
      scatter(this.transport.memory, chain.writable, 0, bytes)
      this.transport.push(0, chain, bytes.length)
    })
    this.notify()
  }
}

function answerBytes(chain: Chain): number {
  return Math.min(segmentBytes(chain.writable), MOST_ANSWER_BYTES)
}
