import { Client } from './client'
import { BridgeTransport, type Bridge } from './electron'
import type { Host } from './host'
import { WebSocketTransport } from './http'

export { HostError, type Host } from './host'

export function connect(): Host {
  const bridge = (window as { pollen?: Bridge }).pollen
  return new Client(bridge ? new BridgeTransport(bridge) : new WebSocketTransport())
}
