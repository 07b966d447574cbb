import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { listExperiments, runExperiment } from './experiments.ts'

const command = path.join(import.meta.dirname, '../../dist/pollen.js')
const pollen = (...args: string[]) => spawnSync(process.execPath, [command, 'experiment', ...args], { encoding: 'utf8' })

describe('experiments', () => {
  it('are described as their schema says', () => {
    expect(listExperiments().map(({ id }) => id)).toEqual(['buffers', 'idle', 'switch-cost', 'syscall-cost'])
  })

  it('give the same figures each time, with percentiles in order', async () => {
    const [first, second] = [await runExperiment('switch-cost', { rounds: 40 }), await runExperiment('switch-cost', { rounds: 40 })]
    expect(second).toEqual(first)
    for (const { count, min, p50, p90, p99, p999, max } of first.series) {
      expect(count).toBeGreaterThan(0)
      expect([min, p50, p90, p99, p999, max]).toEqual([min, p50, p90, p99, p999, max].sort((a, b) => a - b))
    }
    expect(first.findings.map(({ name }) => name)).toContain('coroutine switch / process switch')
    expect(first.image).toMatch(/^[0-9a-f]{64}$/)
  })

  it('show that an idle machine retires next to nothing', async () => {
    const { findings } = await runExperiment('idle', { seconds: 2 })
    expect(findings).toMatchObject([{ name: 'instructions while idle', met: true }])
  })

  it('run from the command, with parameters', () => {
    const { status, stdout } = pollen('run', 'syscall-cost', '--set', 'rounds=16', '--set', 'depth=2', '--json')
    expect(status).toBe(0)
    const result = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { parameters: unknown; series: { name: string; count: number }[] }
    expect(result.parameters).toEqual({ rounds: 16, depth: 2 })
    expect(result.series.find(({ name }) => name === 'null ring 2')!.count).toBe(14)
  })

  it('refuse what is not there in one line', () => {
    for (const args of [
      ['run', 'none'],
      ['run', 'idle', '--set', 'hours=1'],
      ['run', 'idle', '--set', 'seconds=x'],
    ]) {
      const { status, stderr } = pollen(...args)
      expect(status).toBe(125)
      expect(stderr.trim()).not.toBe('')
    }
  })
})
