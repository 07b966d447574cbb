/** Register names (psABI, "Register Convention"). */
export const integerRegisterNames: readonly string[] =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ')

export const floatRegisterNames: readonly string[] =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  )

/** Rounding modes by encoding; 5 and 6 are reserved. */
export const roundingModeNames: readonly (string | undefined)[] = ['rne', 'rtz', 'rdn', 'rup', 'rmm', undefined, undefined, 'dyn']

/** `x10`, `a0` or `fp` to 10, 10, 8; undefined for anything else. */
export function integerRegister(name: string): number | undefined {
  if (name === 'fp') return 8
  return numbered(name, 'x') ?? indexIn(integerRegisterNames, name)
}

/** `f10` or `fa0` to 10; undefined for anything else. */
export function floatRegister(name: string): number | undefined {
  return numbered(name, 'f') ?? indexIn(floatRegisterNames, name)
}

function numbered(name: string, letter: string): number | undefined {
  const match = /^([a-z])([12]?\d|3[01]|\d)$/.exec(name)
  return match && match[1] === letter ? Number(match[2]) : undefined
}

function indexIn(names: readonly string[], name: string): number | undefined {
  const index = names.indexOf(name)
  return index < 0 ? undefined : index
}
