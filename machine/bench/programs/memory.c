/* Loads and stores over arrays that fit a cache: sorting and a matrix transposed in place. */
typedef unsigned int u32;
static u32 a[32768];
static u32 m[256][256];

static void sort(u32 *p, int n) {
  for (int gap = n / 2; gap > 0; gap /= 2)
    for (int i = gap; i < n; i++) {
      u32 v = p[i];
      int j = i;
      while (j >= gap && p[j - gap] > v) { p[j] = p[j - gap]; j -= gap; }
      p[j] = v;
    }
}

int main(void) {
  u32 seed = 7, sum = 0;
  for (int round = 0; round < 120; round++) {
    for (int i = 0; i < 32768; i++) { seed = seed * 1664525 + 1013904223; a[i] = seed; }
    sort(a, 32768);
    for (int k = 0; k < 20; k++)
      for (int i = 0; i < 256; i++)
        for (int j = 0; j < i; j++) { u32 t = m[i][j] + a[j]; m[i][j] = m[j][i]; m[j][i] = t; }
    sum += m[3][200] + a[100];
  }
  return sum == 0;
}
