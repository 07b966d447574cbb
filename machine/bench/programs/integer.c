/* Straight arithmetic in a tight loop: the interpreter's worst case against a compiler. */
typedef unsigned long u64;
int main(void) {
  u64 x = 88172645463325252ul, sum = 0;
  for (u64 i = 0; i < 800000000ul; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    sum += x * 5 + i;
  }
  return sum == 0;
}
