/** `app://pollen/…`: the window's files with the same policy as in the browser host. */
import { SECURITY_HEADERS } from '../server/policy.ts'
import type { StaticFiles } from '../server/static-files.ts'

export const SCHEME = 'app'
export const ORIGIN = `${SCHEME}://pollen`
export const START_PAGE = `${ORIGIN}/index.html`

export function serveApp(files: StaticFiles): (request: { url: string; method: string }) => Promise<Response> {
  return async ({ url, method }) => {
    const refuse = (status: number) => new Response(null, { status, headers: SECURITY_HEADERS })
    let parsed: URL
    try {
      parsed = new URL(url)
    } catch {
      return refuse(400)
    }
    if (parsed.protocol !== `${SCHEME}:` || parsed.host !== 'pollen') return refuse(403)
    if (method !== 'GET') return refuse(405)
    const file = await files.get(parsed.pathname)
    if (!file) return refuse(404)
    return new Response(new Uint8Array(file.bytes), { headers: { ...SECURITY_HEADERS, 'Content-Type': file.type } })
  }
}

/** True for a page of ours: what may send messages, and what a window may show. */
export function isOurs(url: string): boolean {
  try {
    const { protocol, host } = new URL(url)
    return protocol === `${SCHEME}:` && host === 'pollen'
  } catch {
    return false
  }
}
