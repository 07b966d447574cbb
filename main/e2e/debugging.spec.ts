/** Debugging in a real browser: steps, call stack, watchpoints, snapshots, page tables and interrupts. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../machine/testing/oracles.ts'
import { goToLine, launch, openWindow, type Window } from './browser.test-support.ts'

describeWith(['chromium'], 'debugging in the window', () => {
  let browser: Browser
  let window: Window | undefined

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  afterEach(async () => {
    const complaints = window?.complaints ?? []
    await window?.close()
    window = undefined
    expect(complaints).toEqual([])
  })

  it('steps over and out, shows the callers, watches memory and goes back to a snapshot', async () => {
    window = await openWindow(browser, { solution: true })
    const { page } = window
    const text = (await readFile(path.join(window.folder, 'main.S'), 'utf8')).split('\n')
    const lineOf = (pattern: RegExp) => text.findIndex((line) => pattern.test(line)) + 1
    await page.getByRole('tab', { name: 'main.S' }).click()
    await page.waitForFunction(() => document.querySelector('#editor-pane')?.getAttribute('aria-label') === 'main.S')
    const call = lineOf(/call\s+uart_init/)
    await goToLine(page, call)
    await page.keyboard.press('F9')
    await page.keyboard.press('F5')
    await page.locator('[data-phase=paused]').waitFor()
    await page.getByRole('button', { name: 'Debug', exact: true }).click()
    const debug = page.locator('section[aria-label=Debug]')
    const at = (line: number, file = 'main.S') => debug.locator('.frame[aria-current]', { hasText: `${file}:${line}` }).waitFor()
    await at(call)

    await debug.getByRole('button', { name: 'Take a snapshot' }).click()
    const back = debug.getByRole('button', { name: /^Back to/ })
    await back.waitFor()
    await page.keyboard.press('F10')
    await debug.locator('.frame[aria-current]', { hasText: `main.S:${call}` }).waitFor({ state: 'hidden' })
    await back.click()
    await at(call)
    await page.keyboard.press('F11')
    await debug.locator('.frame', { hasText: 'uart_init' }).waitFor()
    await debug.locator('.frame', { hasText: `main.S:${call}` }).waitFor()
    await page.keyboard.press('Shift+F11')
    await debug.locator('.frame', { hasText: 'uart_init' }).waitFor({ state: 'hidden' })

    // The first character that goes to the serial port stops the board before it is sent.
    await debug.getByRole('textbox', { name: 'Address to watch' }).fill('0x10000000')
    await debug.getByRole('button', { name: 'Watch', exact: true }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await debug.locator('.line.hit', { hasText: '0x10000000' }).waitFor()
    await debug.getByRole('button', { name: 'Remove 0x10000000' }).click()
    await debug.getByText('None set. The board stops before').waitFor()
  })

  it('shows page tables and interrupt controllers beside the registers', async () => {
    window = await openWindow(browser, { solution: true })
    const { page } = window
    await page.keyboard.press('F5')
    await page.locator('.xterm-rows', { hasText: /line \d{4}/ }).waitFor()
    await page.getByRole('button', { name: 'Pause', exact: true }).click()
    await page.getByRole('tab', { name: 'Inspector' }).click()
    const choose = page.getByRole('combobox', { name: 'What to show' })
    await choose.selectOption('Page tables')
    await page.getByText('Nothing is translated here').waitFor()
    await choose.selectOption('Interrupts')
    await page.getByRole('row', { name: /10 uart/ }).waitFor()
    await page.getByRole('row', { name: /^h0/ }).waitFor()
  })
})
