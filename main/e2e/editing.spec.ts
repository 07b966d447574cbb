/** The editor over the guest dialect, in a real browser: what TypeScript knows, formatting, stages beside the source. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../machine/testing/oracles.ts'
import { launch, openWindow, ready, goToLine, type Window } from './browser.test-support.ts'

const MAIN = `import { twice } from './numbers'

export function main(): void {
  cpu.csrWrite(0x340, twice(21))
}
`
const NUMBERS = `/** The number and once more the number. */
export function twice(value: u64): u64 {
  let sum: u64 = value
  sum += value
  return sum
}
`

/** A program in TypeScript in the place of the lab's. */
async function typescriptProgram({ page, folder }: Window): Promise<void> {
  const description = { version: 1, kind: 'firmware', sources: ['main.ts'], layout: 'bare', stack: 4096 }
  await writeFile(path.join(folder, 'pollen.json'), JSON.stringify(description))
  await writeFile(path.join(folder, 'main.ts'), MAIN)
  await writeFile(path.join(folder, 'numbers.ts'), NUMBERS)
  await page.reload()
  await ready(page)
  await page.getByRole('button', { name: 'Files', exact: true }).click()
  await page.getByRole('button', { name: /^main\.ts/ }).click()
  await opened(page, 'main.ts')
}

async function opened(page: Page, file: string): Promise<void> {
  await page.waitForFunction((name) => document.querySelector('#editor-pane')?.getAttribute('aria-label') === name, file)
  await page.locator('#editor-pane .view-line').first().waitFor()
}

async function putCursor(page: Page, line: number, column: number): Promise<void> {
  await goToLine(page, line)
  await page.keyboard.press('Home')
  await page.keyboard.press('Home')
  for (let step = 1; step < column; step++) await page.keyboard.press('ArrowRight')
}

describeWith(['chromium'], 'the editor', () => {
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

  it('knows the guest dialect: documentation, completion, definitions in other files', async () => {
    window = await openWindow(browser)
    const { page } = window
    await typescriptProgram(window)
    await putCursor(page, 4, 9)
    await page.keyboard.press('Control+K')
    await page.keyboard.press('Control+I')
    await page.locator('.monaco-hover', { hasText: 'Writes a CSR.' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('End')
    await page.keyboard.type('\ncpu.csrR')
    await page.locator('.suggest-widget.visible .monaco-list-row', { hasText: 'csrRead' }).first().waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+Z')
    await putCursor(page, 4, 25)
    await page.keyboard.press('F12')
    await opened(page, 'numbers.ts')
    await page.locator('.view-line', { hasText: 'export function twice' }).waitFor()
  })

  it('formats with Ctrl+S, and only then', async () => {
    window = await openWindow(browser, { solution: true })
    const { page, folder } = window
    const file = path.join(folder, 'uart.S')
    const before = await readFile(file, 'utf8')
    await opened(page, 'uart.S')
    await goToLine(page, 1)
    await page.keyboard.type('go: li   t0,1')
    await page.keyboard.press('Enter')
    await expect.poll(() => readFile(file, 'utf8')).toBe(`go: li   t0,1\n${before}`)
    await page.keyboard.press('Control+S')
    await expect.poll(() => readFile(file, 'utf8')).toBe(`go:     li      t0,1\n${before}`)
  })

  it('shows what the source becomes, stage by stage, in the same colours', async () => {
    window = await openWindow(browser)
    const { page } = window
    await typescriptProgram(window)
    await page.getByRole('button', { name: 'Build', exact: true }).click()
    const stage = page.locator('section[aria-label=Stage]')
    await stage
      .locator('.ln', { hasText: /csrr?w/ })
      .first()
      .waitFor()
    const colourOf = async (text: RegExp) =>
      /\bg\d\b/.exec((await stage.locator('.ln', { hasText: text }).first().getAttribute('class'))!)?.[0]
    for (const [kind, text] of [
      ['WebAssembly', /call \$\S*csrWrite/],
      ['IR', /csr/i],
      ['RV64', /csrr?w/],
    ] as const) {
      await stage.getByRole('combobox').selectOption({ label: kind })
      const row = stage.locator('.ln', { hasText: text }).first()
      await row.waitFor()
      await page
        .locator(`#editor-pane .mapped-line.${await colourOf(text)}`)
        .first()
        .waitFor()
      await row.click()
      await page.waitForFunction(() => document.querySelector('#editor-pane .active-line-number')?.textContent === '4')
      await stage.locator('.ln.here', { hasText: text }).first().waitFor()
    }
    // Assembly goes straight to machine code.
    await stage.getByRole('combobox').selectOption({ label: 'IR' })
    await page.getByRole('tab', { name: 'uart.S' }).click()
    await stage.getByText('Nothing of this file passes this stage').waitFor()
  })
})
