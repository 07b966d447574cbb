import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { request } from 'node:http'
import path from 'node:path'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorkbench } from '../testing.test-support.ts'
import type { HostMessage } from '../protocol/index.ts'
import { CONTENT_SECURITY_POLICY } from './policy.ts'
import { BrowserHost } from './server.ts'

let opened: Awaited<ReturnType<typeof openWorkbench>>
let host: BrowserHost
let cookie: string

beforeAll(async () => {
  opened = await openWorkbench()
  const renderer = path.join(opened.folder, 'renderer')
  await mkdir(renderer)
  await writeFile(path.join(renderer, 'index.html'), '<!doctype html><title>Pollen</title>')
  await writeFile(path.join(renderer, 'notes.exe'), 'no')
  await writeFile(path.join(opened.folder, 'secret.js'), 'secret')
  await symlink(path.join(opened.folder, 'secret.js'), path.join(renderer, 'link.js'))
  host = await BrowserHost.start({ workbench: opened.workbench, renderer })
  cookie = (await get(new URL(host.address).pathname + new URL(host.address).search)).headers['set-cookie']![0].split(';')[0]
})

afterAll(async () => {
  await host.close()
  await opened.close()
})

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

/** A request as written: nothing of the path or of the headers is tidied up on the way. */
function get(
  target: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer & { headers: { 'set-cookie'?: string[] } }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: host.port, path: target, method, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

function socket(headers: Record<string, string>, target = '/socket'): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const made = new WebSocket(`ws://127.0.0.1:${host.port}${target}`, { headers })
    made.on('open', () => resolve(made))
    made.on('error', reject)
    made.on('unexpected-response', (_request, response) => reject(new Error(String(response.statusCode))))
  })
}

const origin = () => `http://127.0.0.1:${host.port}`

function nextMessage(made: WebSocket): Promise<HostMessage> {
  return new Promise((resolve) => made.once('message', (data) => resolve(JSON.parse((data as Buffer).toString()) as HostMessage)))
}

describe('the address', () => {
  it('listens on 127.0.0.1 only', async () => {
    const refused = await new Promise<boolean>((resolve) => {
      const attempt = connect({ host: '127.0.0.2', port: host.port })
      attempt.on('error', () => resolve(true))
      attempt.on('connect', () => resolve((attempt.destroy(), false)))
    })
    expect(refused).toBe(true)
  })

  it('exchanges the token for a cookie that scripts and other sites cannot use', async () => {
    const answer = await get('/' + new URL(host.address).search)
    expect(answer.status).toBe(303)
    expect(answer.headers.location).toBe('/')
    expect(answer.headers['set-cookie']![0]).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/)
  })

  it('refuses a wrong token, a token of another length and none', async () => {
    const right = new URL(host.address).searchParams.get('token')!
    const other = (right[0] === 'A' ? 'B' : 'A') + right.slice(1)
    for (const target of [`/?token=${other}`, '/?token=x', '/?token=', '/']) expect((await get(target)).status).toBe(403)
    expect((await get('/', { cookie: `pollen-token-${host.port}=${other}` })).status).toBe(403)
  })
})

describe('pages', () => {
  it('serves the window with its policy', async () => {
    const answer = await get('/', { cookie })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-security-policy']).toBe(CONTENT_SECURITY_POLICY)
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('answers to no other name, as after DNS rebinding', async () => {
    for (const name of ['evil.example', `localhost:${host.port}`, '127.0.0.1', `evil.example:${host.port}`]) {
      expect((await get('/', { cookie, host: name })).status).toBe(403)
    }
  })

  it.each([
    '/../secret.js',
    '/%2e%2e/secret.js',
    '/..%2fsecret.js',
    '/assets/..%2f..%2fsecret.js',
    '/..%5csecret.js',
    '/%00.js',
    '/%ff.js',
    '/link.js',
    '/notes.exe',
    '/.git/config',
    '//etc/passwd.js',
  ])('serves nothing outside of the window’s folder: %s', async (target) => {
    const answer = await get(target, { cookie })
    expect([400, 404]).toContain(answer.status)
    expect(answer.text).not.toContain('secret')
  })

  it('answers to GET and HEAD only', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await get('/', { cookie }, method)).status).toBe(405)
    expect((await get('/', { cookie }, 'HEAD')).text).toBe('')
  })
})

describe('the socket', () => {
  it('opens for our own page', async () => {
    const made = await socket({ cookie, origin: origin() })
    made.send(JSON.stringify({ kind: 'call', id: 1, endpoint: 'workbench.info', request: {} }))
    expect(await nextMessage(made)).toMatchObject({ kind: 'result', id: 1, value: { host: 'browser' } })
    made.close()
  })

  it.each<[string, (right: { cookie: string; origin: string }) => Record<string, string>]>([
    ['another origin', ({ cookie }) => ({ cookie, origin: 'http://evil.example' })],
    ['another port of this machine', ({ cookie }) => ({ cookie, origin: 'http://127.0.0.1:1' })],
    ['a sandboxed page', ({ cookie }) => ({ cookie, origin: 'null' })],
    ['no origin', ({ cookie }) => ({ cookie })],
    ['no cookie', ({ origin }) => ({ origin })],
    ['a wrong cookie', ({ origin }) => ({ origin, cookie: 'pollen-token=x' })],
    ['another host', ({ cookie, origin }) => ({ cookie, origin, host: 'evil.example' })],
  ])('is refused to %s', async (_name, headers) => {
    await expect(socket(headers({ cookie, origin: origin() }))).rejects.toThrow('403')
  })

  it('has one path', async () => {
    await expect(socket({ cookie, origin: origin() }, '/other')).rejects.toThrow('404')
  })

  it.each<[string, unknown, string]>([
    ['an unknown endpoint', { endpoint: 'shell.run', request: {} }, 'bad-request'],
    ['a name from the prototype', { endpoint: '__proto__', request: {} }, 'bad-request'],
    ['a name of a method', { endpoint: 'constructor', request: {} }, 'bad-request'],
    ['a path that climbs', { endpoint: 'files.read', request: { lab: '01-first-light', path: '../secret.js' } }, 'bad-request'],
    ['an absolute path', { endpoint: 'files.read', request: { lab: '01-first-light', path: '/etc/passwd' } }, 'bad-request'],
    ['a lab that climbs', { endpoint: 'files.read', request: { lab: '../x', path: 'a' } }, 'bad-request'],
    ['a request of another shape', { endpoint: 'board.step', request: { unit: 'year', hart: 0 } }, 'bad-request'],
    ['no request', { endpoint: 'files.read' }, 'bad-request'],
    ['a board that is off', { endpoint: 'board.pause', request: {} }, 'board-off'],
  ])('answers %s with an error', async (_name, call, code) => {
    const made = await socket({ cookie, origin: origin() })
    made.send(JSON.stringify({ kind: 'call', id: 7, ...(call as object) }))
    expect(await nextMessage(made)).toMatchObject({ kind: 'error', id: 7, code })
    made.close()
  })

  it('lives on after messages that are none', async () => {
    const made = await socket({ cookie, origin: origin() })
    for (const text of ['', '{', 'null', '[]', '{"kind":"call"}', '{"kind":"seen","events":-1}', '{"kind":"seen","events":1e99}'])
      made.send(text)
    made.send(Buffer.from([0, 255]), { binary: true })
    made.send(JSON.stringify({ kind: 'call', id: 2, endpoint: 'workbench.info', request: {} }))
    expect(await nextMessage(made)).toMatchObject({ kind: 'result', id: 2 })
    made.close()
  })
})
