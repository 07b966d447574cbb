/** A program of the guest dialect with about 5,000 lines: loops, fields, switches, calls and awaits as kernels have them. */

/** `functions` functions of 22 lines; every fifth is async and awaits the one before it. The same every time. */
export function largeProgram(functions: number): string {
  let state = 1
  const random = (limit: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % limit
  }
  const lines = [
    '@unmanaged class Node { next: usize; value: i32; weight: u64; }',
    'const pool = memory.data(65536, 16);',
    'let total: u64 = 0;',
  ]
  for (let index = 0; index < functions; index++) {
    const isAsync = index % 5 === 0
    const plain = index - 1 - (index % 5 === 1 ? 1 : 0)
    const callee = index < 2 ? '0' : isAsync ? `await work${index - 5}(i - 1, b, p)` : `work${plain}(i - 1, b, p)`
    lines.push(
      `export ${isAsync ? 'async ' : ''}function work${index}(a: i32, b: u64, p: usize): ${isAsync ? 'Promise<i32>' : 'i32'} {`,
      `  let sum: i32 = a + ${random(1000)};`,
      `  const node = changetype<Node>(p + ${random(64) * 8});`,
      '  for (let i = 0; i < a; i++) {',
      `    sum = sum * ${random(31) + 3} + i;`,
      `    if (sum & ${1 << random(8)}) {`,
      '      node.value = sum;',
      '      node.weight += b;',
      '    } else {',
      `      sum ^= <i32>(b >> ${random(30)});`,
      '    }',
      '    store<i32>(pool + ((sum & 1023) << 2), sum);',
      `    sum += ${callee};`,
      '  }',
      '  switch (sum & 7) {',
      '    case 0: sum += 1; break;',
      `    case 1: sum -= load<i32>(p, ${random(100) * 4}); break;`,
      '    case 2: total += <u64>sum; break;',
      '    default: sum = -sum;',
      '  }',
      '  return sum;',
      '}',
    )
  }
  lines.push('export function main(): i32 { return work1(3, 4, pool); }')
  return lines.join('\n') + '\n'
}
