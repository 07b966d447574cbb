// What drives tasks that the compiler made: the third executor. Nothing here is yours to change.
import { begin, end, now, sample } from './board'
import { AWAIT } from './models'

const MOST = 16
/** Deadlines, and the frames to resume then; a frame of 0 is a free place. */
const deadlines = memory.data(8 * 16, 8)
const frames = memory.data(4 * 16, 4)
let resumes: u64 = 0

/** Resumes a suspended task when the clock reaches `deadline`. */
export function resumeAt(deadline: u64, frame: usize): void {
  for (let i = 0; i < MOST; i++) {
    if (load<u32>(frames + 4 * i) != 0) continue
    store<u64>(deadlines + 8 * i, deadline)
    store<u32>(frames + 4 * i, <u32>frame)
    return
  }
  unreachable()
}

/** Resumes tasks as their time comes until none waits; gives the number of resumes. */
export function runTasks(): u64 {
  resumes = 0
  let waiting = true
  while (waiting) {
    waiting = false
    const time = now()
    for (let i = 0; i < MOST; i++) {
      const frame: usize = load<u32>(frames + 4 * i)
      if (frame == 0) continue
      waiting = true
      if (load<u64>(deadlines + 8 * i) > time) continue
      store<u32>(frames + 4 * i, 0)
      resumes++
      begin(AWAIT)
      co.resume(frame)
      end()
    }
  }
  return resumes
}

/** Bytes of the largest frame that was asked for. */
let largest: usize = 0
const room = memory.data(16384, 16)
let used: usize = 0

/** Frames come from here. Each is cleared, as a task control block must be. */
export function allocateFrame(bytes: usize): usize {
  if (bytes > largest) largest = bytes
  const frame = room + used
  used = (used + bytes + 15) & ~15
  if (used > 16384) unreachable()
  memory.fill(frame, 0, bytes)
  return frame
}

/** Leaves the size of the largest frame for the chart. */
export function largestFrame(): usize {
  sample(largest)
  return largest
}
