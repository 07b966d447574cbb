import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../machine/testing/oracles.ts'
import { launch, openWindow, type Window } from './browser.test-support.ts'

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Serious and critical findings, each with the elements it is about. */
async function findings(page: Page): Promise<string[]> {
  // Playwright's own channel: the page's policy forbids scripts from elsewhere.
  if (!(await page.evaluate('typeof axe !== "undefined"'))) await page.evaluate(axe)
  const violations = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((result) => result.violations)`,
  )) as Violation[]
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.split('\n').slice(1, 2).join('').trim()}`),
    )
}

describeWith(['chromium'], 'axe-core', () => {
  let browser: Browser
  let window: Window

  beforeAll(async () => {
    browser = await launch()
    window = await openWindow(browser, { solution: true })
    await window.page.keyboard.press('F5')
    await window.page.getByTestId('percentiles').waitFor()
    await window.page.getByRole('button', { name: 'Check', exact: true }).click()
    await window.page.getByText('7 of 7 passed').waitFor()
    await window.page.getByRole('button', { name: 'Pause', exact: true }).click()
    await window.page.locator('[data-phase=paused]').waitFor()
  })
  afterAll(async () => {
    await window.close()
    await browser.close()
  })

  const sides = ['guide', 'labs', 'files', 'search', 'board', 'debug', 'settings'] as const
  const bottoms = ['console', 'problems', 'inspector'] as const

  it.each([
    ['light', 'en'],
    ['dark', 'en'],
    ['high-contrast', 'en'],
    ['light', 'zh-CN'],
    ['dark', 'zh-CN'],
  ] as const)('finds nothing serious in any view: %s, %s', async (theme, locale) => {
    const { page, workbench } = window
    const found: Record<string, string[]> = {}
    for (const [index, side] of sides.entries()) {
      const bottom = bottoms[index % bottoms.length]
      const { layout } = await workbench.handlers['settings.get']({})
      await workbench.handlers['settings.set']({ patch: { theme, locale, layout: { ...layout, side, bottom, sideOpen: true } } })
      await page.waitForSelector(`html[data-theme=${theme}][lang=${locale}]`)
      await page.locator(`#bottom-${bottom}[aria-selected=true]`).waitFor()
      const problems = await findings(page)
      if (problems.length) found[`${side}, ${bottom}`] = problems
    }
    await page.keyboard.press('F6')
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    const problems = await findings(page)
    if (problems.length) found.help = problems
    await page.keyboard.press('Escape')
    expect(found).toEqual({})
  })
})
