/** The virtio console with its one port (virtio 1.2, section 5.3). */
import type { ConsoleState, ConsoleStream } from '../backend/console.ts'
import type { Clock, DeviceState } from './device.ts'
import { InFlight } from './in-flight.ts'
import type { TransferTiming } from './timing.ts'
import type { VirtioModel, VirtioTransport } from './virtio-mmio.ts'
import { type Chain, gather, scatter, segmentBytes } from './virtqueue.ts'

const DEVICE_ID = 3
const F_EMERG_WRITE = 1n << 2n

const RECEIVE = 0
const TRANSMIT = 1

// Configuration space (5.3.4): {u16 columns, u16 rows, u32 ports, u32 emergency write}
const EMERG_WR = 8
const CONFIG_BYTES = 12

const QUEUE_SIZE = 64
const MOST_BUFFER_BYTES = 2 ** 20
/** What one receive buffer gets at most. */
const MOST_RECEIVED = 4096

/** A transmit buffer, or the wish to fill a receive buffer. */
type Transfer = { readonly chain: Chain }
type Reception = { readonly kind: 'receive' }

export class VirtioConsole implements VirtioModel {
  readonly deviceId = DEVICE_ID
  readonly features = F_EMERG_WRITE
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE]
  readonly config = new Uint8Array(CONFIG_BYTES)
  private transport!: VirtioTransport
  private readonly transmitting: InFlight<Transfer>
  private readonly receiving: InFlight<Reception>
  /** The driver has given a receive buffer that may still be unused. */
  private mayReceive = false

  constructor(
    clock: Clock,
    private readonly stream: ConsoleStream,
    timing: TransferTiming,
  ) {
    this.transmitting = new InFlight(clock, timing, ({ chain }) => this.sent(chain))
    this.receiving = new InFlight(clock, timing, () => this.received(clock.now))
    stream.onInput(() => this.startReceiving())
  }

  attach(transport: VirtioTransport): void {
    this.transport = transport
  }

  notify(queue: number): void {
    if (queue === RECEIVE) {
      this.mayReceive = true
      this.startReceiving()
      return
    }
    while (this.transmitting.count < QUEUE_SIZE) {
      const chain = this.transport.pop(TRANSMIT, MOST_BUFFER_BYTES)
      if (!chain) return
      this.transmitting.submit({ chain }, segmentBytes(chain.readable))
    }
  }

  writeConfig(offset: number, value: number): void {
    if (offset === EMERG_WR) this.stream.write(value & 0xff)
  }

  abandon(queue: number): void {
    if (queue === TRANSMIT) this.transmitting.drop(() => true)
    else {
      this.mayReceive = false
      this.receiving.drop(() => true)
    }
  }

  save(): DeviceState {
    return {
      mayReceive: this.mayReceive,
      transmitting: this.transmitting.save(),
      receiving: this.receiving.save(),
      stream: this.stream.save(),
    }
  }

  load(state: DeviceState): void {
    this.mayReceive = state.mayReceive as boolean
    this.transmitting.load(state.transmitting as DeviceState)
    this.receiving.load(state.receiving as DeviceState)
    this.stream.load(state.stream as ConsoleState)
  }

  private sent(chain: Chain): void {
    this.transport.guarded(() => {
      for (const byte of gather(this.transport.memory, chain.readable, 0, segmentBytes(chain.readable))) this.stream.write(byte)
      this.transport.push(TRANSMIT, chain, 0)
    })
    this.notify(TRANSMIT)
  }

  private startReceiving(): void {
    const arrival = this.stream.nextArrival()
    if (!this.mayReceive || this.receiving.count > 0 || arrival === Infinity) return
    this.receiving.submit({ kind: 'receive' }, 1, arrival)
  }

  private received(now: number): void {
    const chain = this.transport.pop(RECEIVE, MOST_BUFFER_BYTES)
    if (!chain) {
      this.mayReceive = false
      return
    }
    const room = Math.min(segmentBytes(chain.writable), MOST_RECEIVED)
    const bytes: number[] = []
    while (bytes.length < room && this.stream.nextArrival() <= now) bytes.push(this.stream.take())
    this.transport.guarded(() => {
      scatter(this.transport.memory, chain.writable, 0, Uint8Array.from(bytes))
      this.transport.push(RECEIVE, chain, bytes.length)
    })
    this.startReceiving()
  }
}
