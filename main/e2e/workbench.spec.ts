import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../machine/testing/oracles.ts'
import { LabStore } from '../workbench/lab-store.ts'
import { LAB, sharedToolchain } from '../testing.test-support.ts'
import { launch, openWindow, ready, goToLine, type Window } from './browser.test-support.ts'

describeWith(['chromium'], 'the window', () => {
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

  it('leads from a fresh start through lab 01: edit, error at its line, fix, run, chart, check', async () => {
    window = await openWindow(browser)
    const { page, folder } = window
    await page.getByRole('heading', { name: 'Lab 01 First light' }).waitFor()
    expect(await page.getByRole('region', { name: 'First light' }).innerText()).toContain('uart_put')
    // The editor's worker runs under the policy.
    await page.waitForFunction(() => Number(document.documentElement.dataset.editorWorkers) > 0)

    const start = (await readFile(path.join(folder, 'uart.S'), 'utf8')).split('\n')
    const line = start.findIndex((text) => text.includes('# Step 1')) + 1
    await goToLine(page, line)
    await page.keyboard.press('Shift+End')
    await page.keyboard.type('        lbu t1, nonsense')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    const problem = page
      .getByRole('tabpanel', { name: /Problems/ })
      .getByRole('button')
      .first()
    await problem.waitFor()
    expect(await problem.innerText()).toContain(`uart.S:${line}:`)
    await page.locator('.error-lens').first().waitFor()
    await page.locator('.build-error').first().waitFor()

    const solution = await new LabStore().files(LAB, 'solution')
    for (const file of ['uart.S', 'main.S', 'trap.S']) {
      await page.getByRole('tab', { name: file }).click()
      await page.locator('.monaco-editor .view-line').first().click()
      await page.waitForFunction(
        (name) => document.querySelector('section[data-panel] #editor-pane')?.getAttribute('aria-label') === name,
        file,
      )
      await page.keyboard.press('Control+A')
      // As one paste: typing it would be indented twice.
      await page.evaluate((text) => {
        const data = new DataTransfer()
        data.setData('text/plain', text)
        document.activeElement!.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))
      }, solution.get(file)!)
    }
    await page.keyboard.press('F5')
    await page.locator('[data-phase=running]').waitFor()
    await page.locator('.xterm-rows', { hasText: /line \d{4}/ }).waitFor()
    expect(await readFile(path.join(folder, 'uart.S'), 'utf8')).toBe(solution.get('uart.S'))
    await page.locator('.mapped-line').first().waitFor()

    const p99 = page.getByTestId('percentiles')
    await p99.waitFor()
    const first = Number(
      await page
        .getByTestId('virtual-time')
        .innerText()
        .then((text) => text.replace(' s', '')),
    )
    await page.waitForFunction(
      (before) => Number(document.querySelector('[data-testid=virtual-time]')!.textContent!.replace(' s', '')) > before,
      first,
    )
    expect(await p99.innerText()).toMatch(/p50\s+\d/)

    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await page.getByText('7 of 7 passed, 100 of 100 points').waitFor()
    await page.getByText('All checks of this lab have passed.').waitFor()
  })

  it('says why a check failed, with evidence', async () => {
    window = await openWindow(browser)
    const { page } = window
    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await page.locator('[data-check=fifo][data-state=failed]').waitFor()
    expect(await page.locator('[data-check=greets]').innerText()).toContain('Hello from hart 0')
    await page.getByText('0 of 7 passed, 0 of 100 points').waitFor()
  })

  it('sends what is typed to the board', async () => {
    window = await openWindow(browser, { solution: true })
    const { page } = window
    await page.keyboard.press('F5')
    await page.locator('.xterm-rows', { hasText: /line \d{4}/ }).waitFor()
    await page.getByRole('textbox', { name: 'Type here to send to the board' }).press('q')
    await page.locator('.xterm-rows', { hasText: 'Good night' }).waitFor()
    await page.getByText('Ended with status 0').waitFor()
  })

  it('stops at a breakpoint, shows registers, changes memory, steps and continues', async () => {
    window = await openWindow(browser, { solution: true })
    const { page } = window
    await page.getByRole('tab', { name: 'main.S' }).click()
    const text = await readFile(path.join(window.folder, 'main.S'), 'utf8')
    await page.waitForFunction(() => document.querySelector('#editor-pane')?.getAttribute('aria-label') === 'main.S')
    await goToLine(page, text.split('\n').findIndex((line) => /mv\s+a0, s1/.test(line)) + 1)
    await page.keyboard.press('F9')
    await page.locator('.breakpoint-glyph').waitFor()
    await page.keyboard.press('F5')
    await page.locator('[data-phase=paused]').waitFor()
    await page.locator('.stopped-line').first().waitFor()
    await page.getByRole('tab', { name: 'Inspector' }).click()
    const s1 = page.getByRole('textbox', { name: 'Value of s1', exact: true })
    expect(await s1.inputValue()).toBe('0x1')
    await s1.fill('0x63')
    await s1.press('Enter')
    await page.getByRole('textbox', { name: 'Address' }).fill('0x80004000')
    await page.getByRole('textbox', { name: 'Address' }).press('Enter')
    const byte = page.getByRole('textbox', { name: 'Byte at 0x80004000' })
    await byte.fill('7f')
    await byte.press('Enter')
    await page.waitForFunction(() => [...document.querySelectorAll<HTMLInputElement>('.bline input')][0]?.value === '7f')
    await page.keyboard.press('F10')
    await page.waitForFunction(() => document.querySelectorAll('.stopped-line').length > 0)
    await page.getByRole('tab', { name: 'Console' }).click()
    await page.keyboard.press('F9')
    await page.getByRole('button', { name: 'Board', exact: true }).click()
    const remove = page.getByRole('button', { name: /^Remove main/ })
    while ((await remove.count()) > 0) await remove.first().click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.locator('.xterm-rows', { hasText: 'line 0099 ok' }).waitFor()
  })

  it('shows the running board again after a reload, and in a second window', async () => {
    window = await openWindow(browser, { solution: true })
    const { page, context } = window
    await page.keyboard.press('F5')
    await page.locator('.xterm-rows', { hasText: /line \d{4}/ }).waitFor()
    await page.reload()
    await ready(page)
    await page.locator('[data-phase=running]').waitFor()
    await page.locator('.xterm-rows', { hasText: /line \d{4}/ }).waitFor()
    const second = await context.newPage()
    await second.goto(page.url())
    await ready(second)
    await second.getByRole('button', { name: 'Pause', exact: true }).click()
    await page.locator('[data-phase=paused]').waitFor()
    // What one types the other shows.
    for (const each of [page, second]) {
      await each.getByRole('tab', { name: 'uart.S' }).click()
      await each.waitForFunction(() => document.querySelector('#editor-pane')?.getAttribute('aria-label') === 'uart.S')
    }
    await goToLine(second, 1)
    await second.keyboard.type('# from the second window')
    await page.locator('.view-line', { hasText: '# from the second window' }).waitFor()
  })

  it('shows a crash of the board with its reason, and starts again', async () => {
    window = await openWindow(browser, { solution: true })
    const { page, workbench } = window
    await page.keyboard.press('F5')
    await page.locator('[data-phase=running]').waitFor()
    await workbench.board.crashForTest()
    const alert = page.locator('.bad-bar')
    await alert.waitFor()
    expect(await alert.innerText()).toContain('its thread ended with status 1')
    await alert.getByRole('button', { name: 'Restart' }).click()
    await page.locator('[data-phase=running]').waitFor()
  })

  it('cancels a build, and says why one failed when the toolchain died', async () => {
    window = await openWindow(browser, { solution: true })
    const { page } = window
    const build = page.getByRole('button', { name: 'Build', exact: true })
    const cancel = page.getByRole('button', { name: 'Cancel build' })
    // A fresh thread loads its compilers first: there is time.
    await sharedToolchain.killForTest()
    await build.click()
    await expect.poll(() => sharedToolchain.busy).toBe(true)
    await cancel.click()
    await build.waitFor()
    expect(await page.locator('.bad-bar').count()).toBe(0)
    await build.click()
    await cancel.waitFor()
    await expect.poll(() => sharedToolchain.busy).toBe(true)
    await sharedToolchain.killForTest()
    await page.locator('.bad-bar', { hasText: 'the toolchain stopped' }).waitFor()
    await page.getByRole('button', { name: 'Build again' }).click()
    await page.locator('.mapped-line').first().waitFor({ timeout: 200_000 })
    expect(await page.locator('.bad-bar').count()).toBe(0)
  })

  it('switches language and theme without losing what was typed', async () => {
    window = await openWindow(browser)
    const { page } = window
    await page.locator('.view-line').first().click()
    await page.keyboard.type('# mine ')
    await page.getByRole('button', { name: 'Language: English' }).click()
    await page.getByRole('button', { name: '运行', exact: true }).waitFor()
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN')
    await page.locator('.view-line', { hasText: '# mine' }).waitFor()
    await page.keyboard.press('Control+Shift+P')
    await page.getByRole('combobox', { name: '命令' }).fill('高对比度')
    await page.keyboard.press('Enter')
    await page.waitForSelector('html[data-theme=high-contrast]')
    await page.reload()
    await ready(page)
    await page.waitForSelector('html[data-theme=high-contrast][lang=zh-CN]')
    await page.locator('.view-line', { hasText: '# mine' }).waitFor()
  })

  it('remembers its layout', async () => {
    window = await openWindow(browser)
    const { page, workbench } = window
    await page.getByRole('button', { name: 'Files', exact: true }).click()
    await page.getByRole('tab', { name: 'Inspector' }).click()
    const splitter = page.getByRole('separator', { name: 'Width of the side panel' })
    await splitter.focus()
    for (let turn = 0; turn < 3; turn++) await page.keyboard.press('ArrowRight')
    // The three presses have arrived when the size has come to rest with the host.
    await expect.poll(async () => Math.round((await workbench.handlers['settings.get']({})).layout.sizes.main?.[0] ?? 0)).toBe(51)
    const width = await page.getByRole('region', { name: 'Files' }).evaluate((panel) => panel.clientWidth)
    await page.reload()
    await ready(page)
    await page.getByRole('tab', { name: 'Inspector', selected: true }).waitFor()
    expect(Math.abs((await page.getByRole('region', { name: 'Files' }).evaluate((panel) => panel.clientWidth)) - width)).toBeLessThan(4)
  })

  it('can be used by keyboard alone', async () => {
    window = await openWindow(browser, { solution: true })
    const { page } = window
    const panels: string[] = []
    for (let turn = 0; turn < 8; turn++) {
      await page.keyboard.press('F6')
      panels.push(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? ''))
    }
    expect(panels).toEqual(['Run', 'Views', 'Guide', 'uart.S', 'Stage', 'Console', 'Latency', 'Checks'])
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    // Tab moves on from everywhere but the editor, which Ctrl+M frees.
    const places = new Set<string>()
    for (let turn = 0; turn < 80; turn++) {
      await page.keyboard.press('Tab')
      places.add(await page.evaluate(() => document.activeElement?.closest('[data-panel]')?.getAttribute('aria-label') ?? ''))
      if (await page.evaluate(() => document.activeElement?.closest('.monaco-editor') !== null)) await page.keyboard.press('Control+M')
    }
    for (const panel of ['Run', 'Views', 'Guide', 'Console', 'Checks', 'Status']) expect(places).toContain(panel)
  })

  it('fits a narrow window', async () => {
    window = await openWindow(browser, { solution: true, width: 900, height: 1200 })
    const { page } = window
    await page.getByRole('button', { name: 'Open guide' }).click()
    await page.getByRole('heading', { name: 'First light', level: 2 }).waitFor()
    await page.getByRole('button', { name: 'Close guide' }).click()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    await page.keyboard.press('F5')
    await page.locator('.xterm-rows', { hasText: /line \d{4}/ }).waitFor()
  })
})
