/** A program of timers, calls between harts, waiting, atomics and a console: whatever could come out differently. It runs for ever. */
export function busyProgram(harts: number): string {
  return `
main:
  vector mtvec handler
  li t0, 0x88
  csrw mie, t0
  la s0, shared
  csrr s1, mhartid
  slli s2, s1, 3
  li t0, 0x2004000
  add s2, s2, t0          # mtimecmp
  li t0, 0x2000000
  slli s3, s1, 2
  add s3, s3, t0          # msip of this hart
  xori s4, s1, 1
  slli s4, s4, 2
  add s4, s4, t0          # and of its neighbour
  la s5, harts
  lw s5, 0(s5)
  csrr t0, time
  addi t0, t0, 20
  sd t0, 0(s2)
  csrsi mstatus, 8
work:
  li t0, 30
2:
  mul t1, t0, t0
  amoadd.w t2, t1, (s0)
  ld t1, 64(s0)
  addi t1, t1, 3
  sd t1, 64(s0)
  addi t0, t0, -1
  bnez t0, 2b
  addi t0, s0, 4
  lr.w t1, (t0)
  sc.w t1, t1, (t0)
  wfi
  j work
.balign 4
handler:
  csrr a0, mcause
  slli a0, a0, 1
  srli a0, a0, 1
  li a1, 7
  beq a0, a1, timer
  sw x0, 0(s3)
  addi s6, s6, 1
  mret
timer:
  csrr a0, time
  addi a0, a0, 33
  sd a0, 0(s2)
  li a0, 1
  li a2, 2
  bltu s5, a2, 4f
  sw a0, 0(s4)
4:
  li a0, 0x10000000
  li a1, '.'
  bnez s1, 5f
  sb a1, 0(a0)
5:
  mret
.data
.balign 4096
shared: .skip 128
harts: .word ${harts}
`
}
