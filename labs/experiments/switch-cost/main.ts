// Two that give way to each other: coroutines of a thread, threads of a process, processes.
import { Call } from '../../os/kernel/abi'
import { pause } from '../../os/user/executor'
import { programArguments, spawn, wait, Ended, kill } from '../../os/user/process'
import { joinThread, startThread } from '../../os/user/thread'
import { call0 } from '../../os/user/system'
import { parameter, sample, series } from '../measure'

export * from '../../os/user/hooks'

const cells = memory.data(32, 8)

/** Suspends at once, for ever: what resumes it measures. */
async function partner(): Promise<void> {
  store<u32>(cells, <u32>co.frame())
  for (;;) co.suspend()
}

/** To the coroutine and back are two switches. */
function coroutines(rounds: u32): void {
  detach(partner())
  const frame: usize = load<u32>(cells)
  for (let round: u32 = 0; round < rounds; round++) {
    const start = cpu.cycle()
    co.resume(frame)
    sample((cpu.cycle() - start) / 2)
  }
}

async function other(): Promise<void> {
  while (cpu.load32(cells + 16) == 0) await pause()
}

/** Through the executor's queue to the other coroutine and back. */
async function pauses(rounds: u32): Promise<void> {
  for (let round: u32 = 0; round < rounds; round++) {
    const start = cpu.cycle()
    await pause()
    sample((cpu.cycle() - start) / 2)
  }
  cpu.store32(cells + 16, 1)
}

function yields(argument: u64): i64 {
  while (cpu.load32(cells + 8) == 0) call0(Call.sched_yield)
  return 0
}

/** From this thread to another one and back. */
function measureYields(rounds: u32): void {
  for (let round: u32 = 0; round < rounds; round++) {
    const start = cpu.cycle()
    call0(Call.sched_yield)
    if (round >= rounds / 8) sample((cpu.cycle() - start) / 2)
  }
}

export function main(): i32 {
  const args = programArguments()
  if (args.length == 2 && args[1] == 'partner') for (;;) call0(Call.sched_yield)
  const rounds = parameter('rounds')
  series('resume and suspend')
  coroutines(rounds)
  series('coroutine')
  detach(other())
  blockOn(pauses(rounds))
  series('yield alone')
  measureYields(rounds)
  const thread = startThread(yields, 0)
  series('thread')
  measureYields(rounds)
  cpu.store32(cells + 8, 1)
  joinThread(thread)
  const child = spawn(args[0], [args[0], 'partner'])
  series('process')
  measureYields(rounds)
  kill(<i32>child, 9)
  wait(child, changetype<Ended>(memory.data(16, 8)))
  return 0
}
