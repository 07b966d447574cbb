/** `npm run screenshots`: the README's pictures, from the real window with the solution of lab 01 running. */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Settings } from '../protocol/index.ts'
import { projectRoot } from '../workbench/worker-thread.ts'
import { launch, openWindow, type Window } from './browser.test-support.ts'

const folder = path.join(projectRoot(), 'docs')

async function set({ page, workbench }: Window, patch: Partial<Settings>, layout: Partial<Settings['layout']> = {}): Promise<void> {
  const now = await workbench.handlers['settings.get']({})
  const next = await workbench.handlers['settings.set']({ patch: { ...patch, layout: { ...now.layout, ...layout } } })
  await page.waitForSelector(`html[data-theme=${next.theme}][lang=${next.locale}]`)
}

/** Runs until the chart has something to show, then stands still, so that the pictures agree. */
async function measure({ page }: Window): Promise<void> {
  await page.keyboard.press('F5')
  await page.getByTestId('percentiles').waitFor()
  await page.waitForFunction(() => Number(document.querySelector('[data-testid=virtual-time]')?.textContent?.replace(' s', '')) > 4)
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.locator('[data-phase=paused]').waitFor()
  await page.getByRole('button', { name: 'Check', exact: true }).click()
  await page.getByText('7 of 7 passed').waitFor({ timeout: 120_000 })
  await page.mouse.move(0, 0)
}

await mkdir(folder, { recursive: true })
const browser = await launch()
const wide = await openWindow(browser, { solution: true })
await measure(wide)
const shot = (window: Window, name: string) => window.page.screenshot({ path: path.join(folder, `${name}.png`) })
await set(wide, { theme: 'light', locale: 'en' })
await shot(wide, 'lab-light')
await set(wide, { theme: 'dark' })
await shot(wide, 'lab-dark')
await set(wide, { theme: 'high-contrast' })
await shot(wide, 'lab-high-contrast')
await set(wide, { theme: 'light', locale: 'zh-CN' })
await shot(wide, 'lab-zh-light')
await set(wide, { locale: 'en' }, { side: 'files', bottom: 'inspector', sizes: { middle: [55, 45] } })
await wide.page.getByRole('textbox', { name: 'Value of s1', exact: true }).waitFor()
await wide.page.reload()
await wide.page.getByRole('textbox', { name: 'Value of s1', exact: true }).waitFor()
await wide.page.waitForSelector('.view-line')
await shot(wide, 'inspector-light')
await set(wide, {}, { side: 'debug', bottom: 'inspector' })
await wide.page.keyboard.press('F11')
await wide.page.locator('.frame').first().waitFor()
await wide.page.getByRole('combobox', { name: 'What to show' }).selectOption('interrupts')
await wide.page.getByRole('row', { name: /10 uart/ }).waitFor()
await shot(wide, 'debug-light')
await wide.close()

const narrow = await openWindow(browser, { solution: true, width: 900, height: 1200 })
await set(narrow, { theme: 'light', locale: 'en' })
await measure(narrow)
await shot(narrow, 'lab-narrow')
await narrow.close()
await browser.close()
console.log(`pictures are in ${path.relative(process.cwd(), folder) || '.'}`)
process.exit(0)
