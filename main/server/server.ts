/**
 * The browser host: the window over HTTP and its messages over a WebSocket, for this user on this machine only. It listens on
 * 127.0.0.1; a token that changes with every start keeps other users and other pages out, and the Host and Origin headers keep
 * out pages that reach 127.0.0.1 under another name (DNS rebinding).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { MOST_TEXT } from '../protocol/index.ts'
import { Connection } from '../workbench/connection.ts'
import type { Workbench } from '../workbench/workbench.ts'
import { SECURITY_HEADERS } from './policy.ts'
import { StaticFiles } from './static-files.ts'

export interface BrowserHostOptions {
  readonly workbench: Workbench
  /** Folder of the built window. */
  readonly renderer: string
  /** 0 for a free one. */
  readonly port?: number
  readonly log?: (text: string) => void
}

const COOKIE = 'pollen-token'
/** A text of the largest size with every character escaped still fits. */
const MOST_MESSAGE = MOST_TEXT * 6 + 4096
/** Bytes that wait in the socket's buffer; a window that does not read must not fill our memory. */
const MOST_BUFFERED = 64 << 20

export class BrowserHost {
  private readonly token = randomBytes(32).toString('base64url')
  private readonly files: StaticFiles
  private readonly http: Server
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE, perMessageDeflate: false })

  private constructor(private readonly options: BrowserHostOptions) {
    this.files = new StaticFiles(options.renderer)
    this.http = createServer((request, response) => void this.serve(request, response))
    this.http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.upgrade(request, socket, head))
  }

  static async start(options: BrowserHostOptions): Promise<BrowserHost> {
    const host = new BrowserHost(options)
    await new Promise<void>((resolve, reject) => {
      host.http.once('error', reject)
      host.http.listen(options.port ?? 0, '127.0.0.1', resolve)
    })
    return host
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  /** What the user opens; the token in it is exchanged for a cookie, so that it does not stay in the address bar. */
  get address(): string {
    return `http://127.0.0.1:${this.port}/?token=${this.token}`
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    response.setHeader('Cache-Control', 'no-store')
    const refuse = (status: number, text: string) =>
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
    if (!this.rightHost(request)) return void refuse(403, 'Pollen answers to 127.0.0.1 only')
    if (request.method !== 'GET' && request.method !== 'HEAD') return void refuse(405, 'only GET')
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${this.port}`)
    if (url.pathname === '/' && url.searchParams.has('token')) {
      if (!this.rightToken(url.searchParams.get('token'))) return void refuse(403, 'this address is from an earlier start of Pollen')
      const cookie = `${COOKIE}-${this.port}=${this.token}; HttpOnly; SameSite=Strict; Path=/`
      return void response.writeHead(303, { Location: '/', 'Set-Cookie': cookie }).end()
    }
    if (!this.rightToken(this.cookie(request))) return void refuse(403, 'open the address that "npm start" printed')
    const file = await this.files.get(url.pathname)
    if (!file) return void refuse(404, 'there is no such file')
    response.writeHead(200, { 'Content-Type': file.type, 'Content-Length': file.bytes.length })
    response.end(request.method === 'HEAD' ? undefined : file.bytes)
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refuse = (status: string) => {
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
    socket.on('error', () => socket.destroy())
    if (!this.rightHost(request) || !this.rightOrigin(request) || !this.rightToken(this.cookie(request))) return refuse('403 Forbidden')
    if (request.url !== '/socket') return refuse('404 Not Found')
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.connected(webSocket))
  }

  private connected(socket: WebSocket): void {
    const connection = new Connection(
      this.options.workbench,
      (message) => {
        if (socket.bufferedAmount > MOST_BUFFERED) socket.terminate()
        else socket.send(JSON.stringify(message))
      },
      this.options.log,
    )
    socket.on('message', (data, isBinary) => {
      let message: unknown
      try {
        message = isBinary ? undefined : JSON.parse((data as Buffer).toString('utf8'))
      } catch {
        message = undefined
      }
      void connection.receive(message)
    })
    socket.on('close', () => connection.close())
    socket.on('error', () => socket.terminate())
  }

  private rightHost(request: IncomingMessage): boolean {
    return request.headers.host === `127.0.0.1:${this.port}`
  }

  /** Browsers send it with every WebSocket; a program that does not is not a browser, and has no business here. */
  private rightOrigin(request: IncomingMessage): boolean {
    return request.headers.origin === `http://127.0.0.1:${this.port}`
  }

  private rightToken(given: string | null | undefined): boolean {
    const wanted = Buffer.from(this.token)
    const bytes = Buffer.from(given ?? '')
    return bytes.length === wanted.length && timingSafeEqual(bytes, wanted)
  }

  private cookie(request: IncomingMessage): string | undefined {
    const name = `${COOKIE}-${this.port}=`
    return request.headers.cookie
      ?.split(';')
      .map((part) => part.trim())
      .find((part) => part.startsWith(name))
      ?.slice(name.length)
  }
}
