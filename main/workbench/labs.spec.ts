import { describe, expect, it } from 'vitest'
import { sharedToolchain as toolchain } from '../testing.test-support.ts'
import { checkLab, describeVerdict, listLabs } from './labs.ts'

const labs = await listLabs()

describe('labs', () => {
  it('are there', () => {
    expect(labs.map((lab) => lab.id)).toContain('01-first-light')
  })

  describe.each(labs.map((lab) => [lab.id, lab] as const))('%s', (id, lab) => {
    it('passes with its solution', async () => {
      const verdict = await checkLab(id, { solution: true, toolchain })
      expect(verdict.checks.filter((check) => check.state !== 'passed')).toEqual([])
      expect(verdict).toMatchObject({ passed: true, earned: verdict.points })
    })

    it('fails as it is handed out, with evidence or a reason for each failure', async () => {
      const verdict = await checkLab(id, { toolchain })
      expect(verdict.passed).toBe(false)
      for (const check of verdict.checks) if (check.state === 'failed') expect(check.failure).toBeDefined()
      expect(describeVerdict(lab, verdict)).toMatch(/^failed {2}0\/\d+ {2}/m)
    })

    it('gives the same verdict again, to the cycle', async () => {
      expect(await checkLab(id, { solution: true, toolchain })).toEqual(await checkLab(id, { solution: true, toolchain }))
    })
  })
})
