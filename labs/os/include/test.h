/* Owns guest tests in C (user/c/test.c): one line each as TAP has it, with evidence behind # when it fails. user/test.ts is the same for TypeScript.

     TEST(sum, "two and two make four") { equal(2 + 2, 4, "the sum"); }
     int main(void) { RUN(sum); return finish(); }
*/
#pragma once

#define TEST(id, title) \
  static const char *const title_##id = title; \
  static void test_##id(void)
#define RUN(id) run_test(title_##id, test_##id)

void run_test(const char *title, void (*body)(void));
/* Fail the running test unless it is so; they give whether it is. */
int check(int condition, const char *what);
int equal(long long actual, long long expected, const char *what);
int equal_text(const char *actual, const char *expected, const char *what);
/* A call that gave -1 and this errno. */
int fails(long long result, int number, const char *what);
/* The plan; the exit status. */
int finish(void);
