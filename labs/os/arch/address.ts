// Owns how the kernel's 32-bit pointers, physical addresses and device addresses go over into each other (contracts.md, "Guest memory").

/** RAM: the low half of the virtual address is the physical one. */
@inline export function physical(pointer: usize): u64 {
  return <u64>(<u32>pointer)
}

@inline export function virtual(address: u64): usize {
  return <usize>(<u32>address)
}

/** Registers of a device below 1 GiB, in the window of gigapage 511. */
@inline export function deviceAddress(address: u64): usize {
  return <usize>(<u32>address + 0xc0000000)
}
