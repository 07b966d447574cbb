// Owns guest tests in C.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

static unsigned tests, failed, bad;
static char evidence[160];

int check(int condition, const char *what) {
  if (!condition && !bad) {
    bad = 1;
    snprintf(evidence, sizeof evidence, "%s", what);
  }
  return condition;
}

int equal(long long actual, long long expected, const char *what) {
  char text[160];
  if (actual == expected) return 1;
  snprintf(text, sizeof text, "%s is %lld, not %lld", what, actual, expected);
  return check(0, text);
}

int equal_text(const char *actual, const char *expected, const char *what) {
  char text[160];
  if (strcmp(actual, expected) == 0) return 1;
  snprintf(text, sizeof text, "%s is \"%s\", not \"%s\"", what, actual, expected);
  return check(0, text);
}

int fails(long long result, int number, const char *what) {
  char text[160];
  if (result == -1 && errno == number) return 1;
  if (result == -1) snprintf(text, sizeof text, "%s failed otherwise: %s, not: %s", what, strerror(errno), strerror(number));
  else snprintf(text, sizeof text, "%s gave %lld, not: %s", what, result, strerror(number));
  return check(0, text);
}

void run_test(const char *title, void (*body)(void)) {
  bad = 0;
  tests++;
  body();
  if (bad) failed++;
  printf(bad ? "not ok %u - %s # %s\n" : "ok %u - %s\n", tests, title, evidence);
  fflush_stdout();
}

int finish(void) {
  printf("1..%u\n", tests);
  return failed ? 1 : 0;
}
