/** Damaged modules: the same seed gives the same damage. */
import { random } from '../build/random-module.test-support.ts'
import { decodeModule } from '../wasm/decode.ts'
import { readNames } from '../wasm/names.ts'
import { WasmError } from '../wasm/types.ts'
import { validateModule } from '../wasm/validate.ts'
import { binary } from './conform.test-support.ts'

/** Small modules that between them have every section and every kind of instruction. */
const texts = [
  `(module (type $t (func (param i32 i64) (result f32 f64))) (import "spectest" "print" (func $print)) (import "spectest" "global_i32" (global i32))
    (memory 1 2) (table 4 8 funcref) (table 2 externref) (global $g (mut i64) (i64.const -5)) (global $h f64 (f64.const 1.5)) (elem (i32.const 1) $f $print) (elem $e funcref (ref.func $f) (ref.null func)) (elem declare func $print)
    (data (i32.const 8) "bytes") (data $d "more") (start $print) (export "memory" (memory 0)) (export "g" (global $g)) (export "t" (table 0))
    (func $f (export "f") (type $t) (local f32 i32 i32)
      (block $b (br_table $b $b $b (local.get 0))) (global.set $g (i64.add (local.get 1) (i64.load offset=16 (i32.const 0))))
      (loop $l (param) (br_if $l (i32.eqz (local.tee 3 (i32.sub (local.get 3) (i32.const 1))))))
      (if (result i32) (local.get 0) (then (i32.const 1)) (else (return (f32.const 1) (f64.const 2)))) (drop)
      (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0)) (data.drop $d) (table.init $e (i32.const 0) (i32.const 0) (i32.const 0)) (elem.drop $e)
      (call_indirect (type $t) (i32.const 1) (i64.const 2) (i32.const 1)) (drop) (drop) (f32.const 0) (f64.promote_f32 (f32.const 3))))`,
  `(module (memory 1) (table 3 externref) (func (export "a") (param externref i32) (result i32) (local i64 f64)
      (table.set (local.get 1) (local.get 0)) (drop (select (result externref) (table.get (i32.const 0)) (ref.null extern) (ref.is_null (local.get 0))))
      (drop (table.grow (local.get 0) (i32.const 1))) (table.fill (i32.const 0) (local.get 0) (i32.const 1)) (table.copy (i32.const 0) (i32.const 0) (i32.const 1))
      (memory.copy (i32.const 0) (i32.const 0) (memory.size)) (memory.fill (i32.const 0) (i32.const 0) (memory.grow (i32.const 0)))
      (block (result i32 i64) (i32.const 1) (i64.const 2) (block (param i32 i64) (result i32 i64) (br_if 0 (local.get 1)) (br 1))) (local.set 2)
      (if (param i32) (result i32) (local.get 1) (then (unreachable) (select) (i32.add)) (else (br_table 0 0 0 (i32.trunc_sat_f64_u (local.get 3)))))
      (drop (select (f32.const 1) (f32.min (f32.const 2) (f32.nearest (f32.const 3))) (i32.const 0)))
      (i32.store8 offset=3 align=1 (i32.const 0) (i32.extend8_s (i32.rotl (i32.const 1) (i32.const 2)))) (i64.store32 (i32.const 1) (i64.extend32_s (i64.load16_u (i32.const 1))))
      (i32.trunc_f32_s (f32.demote_f64 (f64.copysign (f64.sqrt (f64.const 2)) (f64.reinterpret_i64 (i64.clz (local.get 2)))))) (i32.add)))`,
  `(module (memory 1 1) (func (result i64) (i32.atomic.store8 (i32.const 0) (i32.const 1)) (atomic.fence)
      (drop (i32.atomic.rmw16.cmpxchg_u (i32.const 0) (i32.const 0) (i32.const 0))) (drop (memory.atomic.notify (i32.const 0) (i32.const 0)))
      (i64.atomic.rmw.add (i32.const 8) (i64.atomic.load32_u (i32.const 4)))))`,
]

/** The binaries of those modules. */
export function samples(): Promise<Uint8Array[]> {
  return Promise.all(texts.map((text) => binary(text)))
}

/** A copy of `bytes` with one to three changes: bits, bytes, pieces taken out, doubled or moved. */
export function mutate(bytes: Uint8Array, seed: number): Uint8Array {
  const next = random(seed)
  let result = [...bytes]
  for (let count = 1 + (next() % 3); count > 0 && result.length > 0; count--) {
    const at = next() % result.length
    const length = 1 + (next() % 4)
    switch (next() % 8) {
      case 0:
        result[at] ^= 1 << (next() % 8)
        break
      case 1:
      case 2:
        result[at] = next() & 255
        break
      case 3:
        result[at] = (result[at] + (next() % 2 ? 1 : 255)) & 255
        break
      case 4:
        result.splice(at, length)
        break
      case 5:
        result.splice(at, 0, ...result.slice(at, at + length))
        break
      case 6:
        result.splice(at, 0, ...Array.from({ length }, () => next() & 255))
        break
      default:
        result = next() % 8 ? result : result.slice(0, at)
        result[at % Math.max(result.length, 1)] = [0x00, 0x0b, 0x40, 0x7f, 0x80, 0xff][next() % 6]
    }
  }
  return Uint8Array.from(result)
}

/** Why our reader refuses a module; undefined when it accepts it. Anything thrown but WasmError is a crash. */
export function refusalOf(bytes: Uint8Array): WasmError | undefined {
  try {
    const module = decodeModule(bytes)
    readNames(module)
    validateModule(module)
    return undefined
  } catch (error) {
    if (error instanceof WasmError) return error
    throw error
  }
}

/** Reasons for which we refuse what V8 takes: later proposals, and an alignment that only the specification forbids. */
export const knownDisagreement = /refused \((illegal opcode|malformed value type|atomic alignment must be natural)/

/** A description of the disagreement with V8 about a module, or undefined. */
export function disagreement(bytes: Uint8Array): string | undefined {
  const refusal = refusalOf(bytes)
  const valid = WebAssembly.validate(bytes as BufferSource)
  if (valid === (refusal === undefined)) return undefined
  if (refusal === undefined) {
    let reason = ''
    try {
      new WebAssembly.Module(bytes as BufferSource)
    } catch (error) {
      reason = (error as Error).message
    }
    return `accepted, but V8 says: ${reason}`
  }
  return `refused (${refusal.message}), but V8 accepts it`
}
