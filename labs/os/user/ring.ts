// placeholder until written below
export function collect(): bool {
  return false
}
export function waitForRing(deadline: u64): bool {
  return false
}
