/** A window in a real browser, served by the real host; whatever the page complains about is kept and must be nothing. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { findOracle } from '../../machine/testing/oracle-list.ts'
import { BrowserHost } from '../server/server.ts'
import { LAB, openWorkbench, sharedToolchain } from '../testing.test-support.ts'
import { projectRoot } from '../workbench/worker-thread.ts'
import type { Workbench } from '../workbench/workbench.ts'

export const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-color-profile=srgb'],
]

export interface Window {
  readonly page: Page
  readonly workbench: Workbench
  /** The user's folder of the lab. */
  readonly folder: string
  readonly address: string
  /** Console errors, page errors, refused policies, requests elsewhere. */
  readonly complaints: string[]
  readonly context: BrowserContext
  close(): Promise<void>
}

/** The bundle of the window, made when it is not there. */
export function ensureRenderer(): string {
  const folder = path.join(projectRoot(), 'out/renderer')
  if (!existsSync(path.join(folder, 'index.html'))) {
    execFileSync(path.join(projectRoot(), 'node_modules/.bin/electron-vite'), ['build', '--logLevel', 'error'], {
      cwd: projectRoot(),
      stdio: 'inherit',
    })
  }
  return folder
}

/** Starts the browser, and loads the compilers meanwhile: from source that takes longer than a step may. */
export async function launch(): Promise<Browser> {
  const [browser] = await Promise.all([
    chromium.launch({ executablePath: findOracle('chromium'), args: FLAGS }),
    sharedToolchain.build(new Map()),
  ])
  return browser
}

export async function openWindow(browser: Browser, options: { solution?: boolean; width?: number; height?: number } = {}): Promise<Window> {
  const opened = await openWorkbench(options.solution)
  const host = await BrowserHost.start({ workbench: opened.workbench, renderer: ensureRenderer() })
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: 'light',
  })
  // A step that hangs is named by its own line.
  context.setDefaultTimeout(15_000)
  const complaints: string[] = []
  context.on('page', (page) => watch(page, complaints))
  const page = await context.newPage()
  await page.goto(host.address)
  await ready(page)
  return {
    page,
    workbench: opened.workbench,
    folder: path.join(opened.folder, LAB),
    address: host.address,
    complaints,
    context,
    close: async () => {
      await context.close()
      await host.close()
      await opened.close()
    },
  }
}

export async function ready(page: Page): Promise<void> {
  await page.waitForSelector('[data-ready=true]')
  await page.waitForSelector('.view-line')
}

function watch(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|blob:|data:)/.test(request.url())) complaints.push(`request to ${request.url()}`)
  })
}

/** Puts the cursor on a line of the open file. */
export async function goToLine(page: Page, line: number): Promise<void> {
  await page.locator('#editor-pane .native-edit-context, #editor-pane textarea').first().focus()
  await page.keyboard.press('Control+G')
  await page.locator('.quick-input-widget input').fill(`:${line}`)
  await page.keyboard.press('Enter')
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' })
}
