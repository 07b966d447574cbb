/** How long real firmware takes to its prompt: the `pollen` command and QEMU as whole processes, in turn. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { findOracle, type OracleName } from '../testing/oracle-list.ts'

const FIRMWARE: OracleName = 'opensbi/generic/fw_jump.elf'
const KERNEL: OracleName = 'u-boot/qemu-riscv64_smode/u-boot.bin'
const PROMPT = '=> '
const MOST_SECONDS = 120

export interface BootTimes {
  readonly boot: string
  readonly seconds: number
  readonly qemuSeconds: number
  readonly ratio: number
}

/** Medians of so many boots each; undefined where the firmware is not installed. */
export async function bootTimes(runs: number): Promise<BootTimes | undefined> {
  const [firmware, kernel, qemu] = [FIRMWARE, KERNEL, 'qemu-system-riscv64' as const].map((name) => findOracle(name))
  if (!firmware || !kernel || !qemu) return undefined
  const pollen = path.join(import.meta.dirname, '../../dist/pollen.js')
  const ours: number[] = []
  const theirs: number[] = []
  for (let run = 0; run < runs; run++) {
    ours.push(await secondsToPrompt(process.execPath, [pollen, 'run', kernel, '--bios', firmware]))
    const board = ['-M', 'virt', '-m', '128M', '-display', 'none', '-monitor', 'none', '-serial', 'stdio']
    theirs.push(await secondsToPrompt(qemu, [...board, '-bios', firmware, '-kernel', kernel]))
  }
  const [seconds, qemuSeconds] = [ours, theirs].map((times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)])
  return { boot: 'OpenSBI to the prompt of U-Boot', seconds, qemuSeconds, ratio: seconds / qemuSeconds }
}

/** From the start of a process to the prompt; a key ends the countdown before it. */
function secondsToPrompt(command: string, commandArguments: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(command, commandArguments, { stdio: ['pipe', 'pipe', 'ignore'] })
    let text = ''
    let pressed = false
    const timer = setTimeout(() => finish(new Error(`${command} never showed the prompt:\n${text}`)), MOST_SECONDS * 1000)
    const finish = (error?: Error) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      if (error) reject(error)
      else resolve((performance.now() - started) / 1000)
    }
    child.on('error', finish)
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      if (!pressed && text.includes('Hit any key')) {
        pressed = true
        child.stdin.write(' ')
      }
      if (text.includes(`\n${PROMPT}`)) finish()
    })
  })
}
