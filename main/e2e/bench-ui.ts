/**
 * `npm run bench:ui`: how the window feels, measured from outside in a real browser against `pollen start` in a process of its own.
 * Page ready from a cold profile; keystroke to echo while the board runs flat out; frames while 50,000 requests a second arrive;
 * memory over a long run (`--minutes N`, default 10). Exit status 1 when a limit is missed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { chromium, type Browser, type Page } from 'playwright-core'
import { findOracle, installLine } from '../../machine/testing/oracle-list.ts'
import { projectRoot } from '../workbench/worker-thread.ts'
import { FLAGS, ready } from './browser.test-support.ts'

const LAB = '01-first-light'
const LIMITS = { readySeconds: 2.5, echoMilliseconds: 60, droppedPercent: 5, growthPercent: 5 }
/** Of rocket100. */
const FREQUENCY = 100e6
/** Cycles between two requests: 50,000 a second. */
const REQUEST_CYCLES = 2000
const FRAME = 1000 / 60

/** Echoes what is typed; with a period, also one request each period. Never waits: the hart is always busy. */
const guest = (period: number) => `
        .section .text.init
        .globl  _start
_start: li      s0, 0x10000000
        rdcycle s2
        li      s1, 0
1:      lbu     t0, 5(s0)
        andi    t0, t0, 1
        beqz    t0, 2f
        lbu     t0, (s0)
        sb      t0, (s0)
2:      li      t1, ${period}
        beqz    t1, 1b
        rdcycle t0
        bltu    t0, s2, 1b
        add     s2, s2, t1
        addi    s1, s1, 1
        csrw    0x840, s1
        csrwi   0x80a, 1
        andi    t1, s1, 127
3:      addi    t1, t1, -1
        bgtz    t1, 3b
        csrw    0x80b, zero
        j       1b
`

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error(`bench:ui: --minutes wants a positive number, not ${values.minutes}`)
  process.exit(2)
}
const executablePath = findOracle('chromium')
if (!executablePath) {
  console.error(`bench:ui drives a browser that is not on this machine: ${installLine(['chromium'])}`)
  process.exit(1)
}

interface Served {
  readonly process: ChildProcess
  readonly address: string
  readonly workspace: string
  /** From the start of the process until it printed its address. */
  readonly seconds: number
}

async function serve(): Promise<Served> {
  const workspace = await mkdtemp(path.join(os.tmpdir(), 'pollen-bench-ui-'))
  const started = performance.now()
  const child = spawn(process.execPath, [path.join(projectRoot(), 'dist/pollen.js'), 'start', '--browser'], {
    env: { ...process.env, POLLEN_WORKSPACE: workspace, BROWSER: 'none' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('exit', () => child.kill())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const address = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /http:\/\/127\.0\.0\.1:\S+/.exec(text)
      if (found) resolve(found[0])
    })
    child.once('exit', (status) => reject(new Error(`pollen start ended with status ${status}`)))
  })
  return { process: child, address, workspace, seconds: (performance.now() - started) / 1000 }
}

async function fresh(browser: Browser, address: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  // The transpiler names functions by a helper of its own, which those handed to the page miss.
  await context.addInitScript('globalThis.__name = (named) => named')
  const page = await context.newPage()
  await page.goto(address)
  await ready(page)
  return page
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

/** Seconds from the request for the page until the editor shows text: empty cache, five times. */
async function measureReady(browser: Browser, address: string): Promise<number> {
  const seconds: number[] = []
  for (let run = 0; run < 5; run++) {
    const started = performance.now()
    const page = await fresh(browser, address)
    seconds.push((performance.now() - started) / 1000)
    await page.context().close()
  }
  return median(seconds)
}

/** Builds the guest in the lab's folder and lets the board run. */
async function boot(page: Page, { workspace }: Served, period: number): Promise<void> {
  await writeFile(path.join(workspace, LAB, 'main.S'), guest(period))
  await page.reload()
  await ready(page)
  const off = page.getByRole('button', { name: 'Switch the board off', exact: true })
  if (await off.isVisible()) await off.click()
  await page.locator('[data-phase=off]').waitFor()
  await page.keyboard.press('F5')
  await page.locator('[data-phase=running]').waitFor()
}

async function setPaced(page: Page, paced: boolean): Promise<void> {
  const box = page.getByRole('checkbox', { name: /virtual time/i })
  if (!(await box.isVisible())) await page.getByRole('button', { name: 'Board', exact: true }).click()
  await box.setChecked(paced)
}

/** Milliseconds from a key's event to the first frame after its character stands in the console. */
async function measureEcho(page: Page): Promise<{ p50: number; p99: number }> {
  await page.locator('.xterm-helper-textarea').focus()
  const times: number[] = []
  for (let turn = 0; turn < 100; turn++) {
    const letter = String.fromCharCode(97 + (turn % 26))
    await page.evaluate((wanted) => {
      const rows = document.querySelector('.xterm-rows')!
      const count = () => rows.textContent!.split(wanted).length
      const before = count()
      const echoed = new Promise<number>((resolve) => {
        window.addEventListener(
          'keydown',
          ({ timeStamp }) => {
            const look = () => (count() > before ? resolve(performance.now() - timeStamp) : requestAnimationFrame(look))
            requestAnimationFrame(look)
          },
          { capture: true, once: true },
        )
      })
      Object.assign(window, { echoed })
    }, letter)
    await page.keyboard.press(letter)
    times.push(await page.evaluate(() => (window as unknown as { echoed: Promise<number> }).echoed))
  }
  times.sort((a, b) => a - b)
  return { p50: times[50], p99: times[98] }
}

/** Percent of frames that were not drawn in time during ten seconds. */
async function measureFrames(page: Page): Promise<number> {
  return page.evaluate(
    (frame) =>
      new Promise<number>((resolve) => {
        const begin = performance.now()
        let last = begin
        let missed = 0
        let all = 0
        const look = (now: number) => {
          const frames = Math.max(1, Math.round((now - last) / frame))
          missed += frames - 1
          all += frames
          last = now
          if (now - begin < 10_000) requestAnimationFrame(look)
          else resolve((100 * missed) / all)
        }
        requestAnimationFrame(look)
      }),
    FRAME,
  )
}

/** Requests a second of real time: the guest makes them by virtual time, which follows the clock on the wall while the host keeps up. */
async function requestRate(page: Page): Promise<number> {
  const virtual = async () => parseFloat((await page.getByTestId('virtual-time').textContent()) ?? '')
  const [before, began] = [await virtual(), performance.now()]
  await page.waitForTimeout(5000)
  return (((await virtual()) - before) / ((performance.now() - began) / 1000)) * (FREQUENCY / REQUEST_CYCLES)
}

interface Memory {
  readonly page: number
  readonly host: number
}

/** Megabytes of the page's script heap after a collection, and of the host's resident set. */
async function memory(page: Page, { process: host }: Served): Promise<Memory> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  const resident = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${host.pid}/status`, 'utf8').catch(() => ''))?.[1]
  return { page: usedSize / 1e6, host: Number(resident ?? NaN) / 1024 }
}

/** Growth in percent between the end of the first fifth of the run, when buffers have their size, and its end. */
async function measureGrowth(page: Page, served: Served): Promise<{ page: number; host: number; megabytes: Memory }> {
  await page.waitForTimeout(minutes * 60_000 * 0.2)
  const before = await memory(page, served)
  await page.waitForTimeout(minutes * 60_000 * 0.8)
  const after = await memory(page, served)
  const growth = (key: keyof Memory) => 100 * (after[key] / before[key] - 1)
  return { page: growth('page'), host: growth('host'), megabytes: after }
}

const served = await serve()
const browser = await chromium.launch({ executablePath, args: FLAGS })
let missed = false
const results: Record<string, number> = {}
function report(name: string, value: number, unit: string, limit?: number): void {
  results[name] = value
  const verdict = limit === undefined ? '' : value <= limit ? `  (at most ${limit})` : `  MISSED: at most ${limit}`
  missed ||= limit !== undefined && !(value <= limit)
  if (!values.json) console.log(`${name.padEnd(44)} ${value.toFixed(2).padStart(9)} ${unit}${verdict}`)
}

try {
  report('host: process start to address', served.seconds, 's')
  report('page ready, cold, median of 5', await measureReady(browser, served.address), 's', LIMITS.readySeconds)
  const page = await fresh(browser, served.address)
  await setPaced(page, false)
  await boot(page, served, 0)
  const echo = await measureEcho(page)
  report('keystroke to echo, board flat out, p50', echo.p50, 'ms', LIMITS.echoMilliseconds)
  report('keystroke to echo, board flat out, p99', echo.p99, 'ms')
  await setPaced(page, true)
  await boot(page, served, REQUEST_CYCLES)
  await page.getByTestId('percentiles').waitFor()
  report('requests arriving', await requestRate(page), '1/s')
  report('frames dropped meanwhile', await measureFrames(page), '%', LIMITS.droppedPercent)
  const growth = await measureGrowth(page, served)
  report(`memory of the page after ${minutes} min`, growth.megabytes.page, 'MB')
  report('its growth', growth.page, '%', LIMITS.growthPercent)
  report(`memory of the host after ${minutes} min`, growth.megabytes.host, 'MB')
  report('its growth', growth.host, '%', LIMITS.growthPercent)
  if (values.json) console.log(JSON.stringify(results))
} finally {
  await browser.close()
  served.process.kill()
  await rm(served.workspace, { recursive: true, force: true })
}
process.exit(missed ? 1 : 0)
