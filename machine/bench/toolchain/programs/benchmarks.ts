// The twin of benchmarks.c in the guest dialect.
function fib(n: i32): i32 {
  return n < 2 ? n : fib(n - 1) + fib(n - 2)
}
export function bench_calls(): i32 {
  return fib(18)
}

const bytes = memory.data(4096, 16)
export function bench_hash(): i32 {
  for (let i = 0; i < 4096; i++) store<u8>(bytes + i, <u8>(i * 7 + 3))
  let h: u32 = 2166136261
  for (let round = 0; round < 4; round++)
    for (let i = 0; i < 4096; i++) {
      h ^= load<u8>(bytes + i)
      h *= 16777619
      h = (h << 5) | (h >> 27)
    }
  return <i32>h
}

const composite = memory.data(8192, 16)
export function bench_sieve(): i32 {
  let count = 0
  for (let i = 0; i < 8192; i++) store<u8>(composite + i, 0)
  for (let i = 2; i < 8192; i++) {
    if (load<u8>(composite + i)) continue
    count++
    for (let j = i + i; j < 8192; j += i) store<u8>(composite + j, 1)
  }
  return count
}

const ma = memory.data(2304, 16)
const mb = memory.data(2304, 16)
const mc = memory.data(2304, 16)
export function bench_matrix(): i32 {
  for (let i = 0; i < 576; i++) {
    store<i32>(ma + (i << 2), i % 17)
    store<i32>(mb + (i << 2), i % 13)
  }
  for (let i = 0; i < 24; i++)
    for (let j = 0; j < 24; j++) {
      let sum = 0
      for (let k = 0; k < 24; k++) sum += load<i32>(ma + ((i * 24 + k) << 2)) * load<i32>(mb + ((k * 24 + j) << 2))
      store<i32>(mc + ((i * 24 + j) << 2), sum)
    }
  let total = 0
  for (let i = 0; i < 576; i++) total = total * 3 + load<i32>(mc + (i << 2))
  return total
}

const values = memory.data(4096, 16)
function at(a: usize, i: i32): i32 {
  return load<i32>(a + (i << 2))
}
function quicksort(a: usize, low: i32, high: i32): void {
  while (low < high) {
    const pivot = at(a, (low + high) >> 1)
    let i = low,
      j = high
    while (i <= j) {
      while (at(a, i) < pivot) i++
      while (at(a, j) > pivot) j--
      if (i <= j) {
        const t = at(a, i)
        store<i32>(a + (i << 2), at(a, j))
        store<i32>(a + (j << 2), t)
        i++
        j--
      }
    }
    if (j - low < high - i) {
      quicksort(a, low, j)
      low = i
    } else {
      quicksort(a, i, high)
      high = j
    }
  }
}
export function bench_sort(): i32 {
  let seed: u32 = 12345
  for (let i = 0; i < 1024; i++) {
    seed = seed * 1103515245 + 12345
    store<i32>(values + (i << 2), (<i32>(seed >> 8)) & 0xffff)
  }
  quicksort(values, 0, 1023)
  let sum = 0
  for (let i = 0; i < 1024; i++) sum = sum * 31 + at(values, i)
  return sum
}

@unmanaged
class Node {
  value: i32
  next: Node | null
}
const nodes = memory.data(4096, 16)
export function bench_list(): i32 {
  let head: Node | null = null
  for (let i = 0; i < 512; i++) {
    const n = changetype<Node>(nodes + (i << 3))
    n.value = i * 3
    n.next = head
    head = n
  }
  let sum = 0
  for (let round = 0; round < 8; round++) {
    let reversed: Node | null = null
    while (head) {
      const node: Node = head
      const next = node.next
      node.next = reversed
      reversed = node
      head = next
    }
    head = reversed
    for (let n = head; n;) {
      const node: Node = n
      sum += node.value ^ round
      n = node.next
    }
  }
  return sum
}

const program = memory.data(32, 16)
const machineStack = memory.data(64, 16)
function interpret(n: i32): i32 {
  let sp = 0,
    pc = 0,
    acc = 0,
    counter = n
  while (true) {
    switch (<i32>load<u8>(program + pc++)) {
      case 0:
        store<i32>(machineStack + (sp++ << 2), acc)
        break
      case 1:
        acc += load<i32>(machineStack + (--sp << 2))
        break
      case 2:
        acc = acc * 3
        break
      case 3:
        acc ^= 0x55
        break
      case 4:
        counter--
        break
      case 5:
        if (counter) pc = <i32>load<u8>(program + pc)
        else pc++
        break
      case 6:
        acc = acc >> 1
        break
      case 7:
        return acc
      default:
        return -1
    }
  }
  return 0
}
const code = memory.data<u8>([0, 2, 3, 1, 6, 4, 5, 0, 7])
export function bench_interpreter(): i32 {
  for (let i = 0; i < 9; i++) store<u8>(program + i, load<u8>(code + i))
  return interpret(2000)
}

type Operation = (a: i32, b: i32) => i32
function add(a: i32, b: i32): i32 {
  return a + b
}
function sub(a: i32, b: i32): i32 {
  return a - b
}
function mix(a: i32, b: i32): i32 {
  return (a << 1) ^ b
}
function low(a: i32, b: i32): i32 {
  return a < b ? a : b
}
const operations = memory.data(16, 16)
export function bench_indirect(): i32 {
  store<Operation>(operations, add)
  store<Operation>(operations, sub, 4)
  store<Operation>(operations, mix, 8)
  store<Operation>(operations, low, 12)
  let acc = 1
  for (let i = 0; i < 3000; i++) {
    const f = load<Operation>(operations + ((i & 3) << 2))
    acc = f(acc, i)
  }
  return acc
}

const text = memory.data(1024, 16)
function length(s: usize): i32 {
  let n = 0
  while (load<u8>(s + n)) n++
  return n
}
function compare(a: usize, b: usize): i32 {
  while (load<u8>(a) && load<u8>(a) == load<u8>(b)) {
    a++
    b++
  }
  return <i32>load<u8>(a) - <i32>load<u8>(b)
}
export function bench_text(): i32 {
  let n = 0
  for (let i = 0; i < 1000; i++) store<u8>(text + n++, <u8>(97 + (i % 26)))
  store<u8>(text + n, 0)
  let sum = 0
  for (let i = 0; i < 8; i++) sum += length(text + i) + compare(text, text + 26 * i)
  for (let p = text; load<u8>(p); p++) {
    let c = <i32>load<u8>(p)
    if (c >= 97 && c <= 122) c -= 32
    sum = sum * 31 + c
  }
  return sum
}

const xs = memory.data(2048, 16)
export function bench_floats(): i32 {
  for (let i = 0; i < 256; i++) store<f64>(xs + (i << 3), <f64>i * 0.5 - 30.0)
  let sum: f64 = 0,
    product: f64 = 1
  for (let round = 0; round < 8; round++)
    for (let i = 0; i < 256; i++) {
      const x = load<f64>(xs + (i << 3))
      sum += x * x - 0.25 * x
      product = product * 0.5 + x
      if (product > 1e6) product = 1
    }
  return <i32>(sum + product)
}

export function bench_bits(): i32 {
  let state: u64 = 88172645463325252
  let total = 0
  for (let i = 0; i < 2000; i++) {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    total += <i32>(state & 0xff) + <i32>(state >> 56)
  }
  return total
}

@unmanaged
class Queue {
  head: u32
  tail: u32
}
const ring = memory.data(264, 16)
function push(q: Queue, x: u32): i32 {
  if (q.tail - q.head == 64) return 0
  store<u32>(changetype<usize>(q) + ((q.tail++ & 63) << 2), x, 8)
  return 1
}
function pop(q: Queue): u32 {
  return q.head == q.tail ? 0 : load<u32>(changetype<usize>(q) + ((q.head++ & 63) << 2), 8)
}
export function bench_queue(): i32 {
  const q = changetype<Queue>(ring)
  let sum: u32 = 0
  q.head = 0
  q.tail = 0
  for (let i: u32 = 0; i < 2000; i++) {
    push(q, i * 5)
    if (i & 1) sum += pop(q) + pop(q)
  }
  return <i32>sum
}

// Two tasks that take turns: each turn is one suspension and one resumption, kept by the bench below 40 instructions together.
async function turns(start: u32): Promise<i32> {
  let value = start
  for (let i: u32 = 0; i < 500; i++) {
    value = value * 5 + i
    co.suspend()
  }
  return <i32>value
}
export function bench_pingpong(): i32 {
  const ping = turns(1),
    pong = turns(2)
  while (ping.state != 2) {
    co.resume(changetype<usize>(ping))
    co.resume(changetype<usize>(pong))
  }
  const sum = <i32>ping.result * 3 + <i32>pong.result
  return sum
}
