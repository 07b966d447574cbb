// Owns the pipelines that run in the background: which processes belong to them, and telling when they have ended.
import { print, printNumber, putByte } from '../../user/console'
import { Ended, wait } from '../../user/process'

const MOST: u32 = 32
/** Of each: processes that have not ended (0: free), group, status of the last. */
const jobs = memory.data(384, 8)
/** Process numbers with their job: 0 free. */
const MOST_MEMBERS: u32 = 128
const members = memory.data(1024, 8)
const ended = changetype<Ended>(memory.data(16, 8))

/** Takes a pipeline's processes over; its number, from 1 on, or 0 when there are too many. */
export function addJob(pids: i64[]): u32 {
  for (let job: u32 = 0; job < MOST; job++) {
    if (load<u32>(jobs + job * 12) != 0) continue
    store<u32>(jobs + job * 12, pids.length)
    store<u32>(jobs + job * 12, <u32>pids[0], 4)
    for (let index = 0; index < pids.length; index++) addMember(<u32>pids[index], job + 1)
    return job + 1
  }
  return 0
}

function addMember(pid: u32, job: u32): void {
  for (let index: u32 = 0; index < MOST_MEMBERS; index++) {
    if (load<u32>(members + index * 8) != 0) continue
    store<u32>(members + index * 8, pid)
    store<u32>(members + index * 8, job, 4)
    return
  }
}

function tell(job: u32, what: string): void {
  putByte(91)
  printNumber(job)
  print('] ')
  print(what)
  putByte(32)
  printNumber(load<u32>(jobs + (job - 1) * 12, 4))
  const status = load<u32>(jobs + (job - 1) * 12, 8)
  if (status != 0) {
    print(' status ')
    printNumber(status)
  }
  putByte(10)
}

/** Notes the end of a process; false when it belongs to no job, as orphans of others do. */
function note(pid: u32, status: u32): bool {
  for (let index: u32 = 0; index < MOST_MEMBERS; index++) {
    if (load<u32>(members + index * 8) != pid) continue
    const job = load<u32>(members + index * 8, 4)
    store<u32>(members + index * 8, 0)
    const at = jobs + (job - 1) * 12
    store<u32>(at, status, 8)
    store<u32>(at, load<u32>(at) - 1)
    if (load<u32>(at) == 0) {
      tell(job, 'done')
      store<u32>(at, 0, 8)
    }
    return true
  }
  return false
}

/** Tells what has ended meanwhile. */
export function reapJobs(): void {
  while (wait(-1, ended, true) > 0) note(<u32>ended.pid, ended.code)
}

export function waitForJobs(): void {
  while (wait(-1, ended) > 0) note(<u32>ended.pid, ended.code)
}

export function listJobs(): void {
  for (let job: u32 = 1; job <= MOST; job++) if (load<u32>(jobs + (job - 1) * 12) != 0) tell(job, 'runs')
}
