/* Double-precision work: a matrix product, Horner's rule, Newton's square root. */
static double a[48][48], b[48][48], c[48][48];

int main(void) {
  for (int i = 0; i < 48; i++)
    for (int j = 0; j < 48; j++) { a[i][j] = (i + 1) * 0.25 + j; b[i][j] = i - j * 0.5; }
  double total = 0;
  for (int round = 0; round < 960; round++) {
    for (int i = 0; i < 48; i++)
      for (int j = 0; j < 48; j++) {
        double s = 0;
        for (int k = 0; k < 48; k++) s += a[i][k] * b[k][j];
        c[i][j] = s;
      }
    for (int i = 0; i < 20000; i++) {
      double x = i * 0.0001, p = 1.0;
      for (int k = 1; k < 8; k++) p = p * x + 1.0 / k;
      double r = p > 1 ? p : 1;
      for (int k = 0; k < 3; k++) r = 0.5 * (r + p / r);
      total += r;
    }
    total += c[round % 48][3];
  }
  return total == 0;
}
