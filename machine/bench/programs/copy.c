/* Copies and fills 4 MiB blocks through 4 KiB pages. */
typedef unsigned long u64;
int main(void) {
  u64 *from = (u64 *)0x40000000, *to = (u64 *)0x41000000;
  u64 sum = 0;
  for (int round = 0; round < 180; round++) {
    for (int i = 0; i < 524288; i += 4) { from[i] = round; from[i + 1] = i; from[i + 2] = 1; from[i + 3] = 2; }
    for (int i = 0; i < 524288; i += 4) { to[i] = from[i]; to[i + 1] = from[i + 1]; to[i + 2] = from[i + 2]; to[i + 3] = from[i + 3]; }
    sum += to[round];
  }
  return sum == 0;
}
