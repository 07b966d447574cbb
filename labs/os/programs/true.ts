// Succeeds.
export * from '../user/hooks'

export function main(): i32 {
  return 0
}
