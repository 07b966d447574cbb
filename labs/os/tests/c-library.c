// The C library: memory, texts, numbers, printing; without the kernel where it needs none.
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>

TEST(printf_numbers, "printf writes numbers as C has them") {
  char text[80];
  snprintf(text, sizeof text, "%d|%5d|%-5d|%05d|%x|%X|%o|%u", -42, 42, 42, -42, 0xbeef, 0xbeef, 8, UINT_MAX);
  equal_text(text, "-42|   42|42   |-0042|beef|BEEF|10|4294967295", "the text");
  snprintf(text, sizeof text, "%lld|%llx|%llu", LLONG_MIN, ULLONG_MAX, ULLONG_MAX);
  equal_text(text, "-9223372036854775808|ffffffffffffffff|18446744073709551615", "the long text");
}

TEST(printf_texts, "printf writes texts and characters") {
  char text[80];
  snprintf(text, sizeof text, "%s|%6s|%-6s|%.2s|%c|%%|%*d", "abc", "abc", "abc", "abc", 'x', 4, 7);
  equal_text(text, "abc|   abc|abc   |ab|x|%|   7", "the text");
}

TEST(printf_room, "snprintf keeps to its room and tells what it needed") {
  char text[6] = "zzzzz";
  equal(snprintf(text, 4, "%d", 123456), 6, "what it needed");
  equal_text(text, "123", "the text");
  equal(text[4], 'z', "the byte behind");
  equal(snprintf(NULL, 0, "%s", "hello"), 5, "what it needed without room");
}

TEST(heap, "malloc gives blocks that are aligned and apart") {
  unsigned char *blocks[40];
  for (int index = 0; index < 40; index++) {
    size_t bytes = (size_t)index * 37 + 1;
    blocks[index] = malloc(bytes);
    if (!check(blocks[index] != NULL, "no block")) return;
    equal((uintptr_t)blocks[index] & 15, 0, "the alignment");
    memset(blocks[index], index, bytes);
  }
  for (int index = 0; index < 40; index++) {
    size_t bytes = (size_t)index * 37 + 1;
    equal(blocks[index][0] == index && blocks[index][bytes - 1] == index, 1, "a block that is whole");
    free(blocks[index]);
  }
}

TEST(heap_again, "what is freed is used again") {
  void *first = malloc(100);
  free(first);
  void *second = malloc(100);
  check(first == second, "another block came");
  free(second);
}

TEST(heap_large, "large blocks come and go") {
  for (int turn = 0; turn < 5; turn++) {
    char *block = malloc(3 << 20);
    if (!check(block != NULL, "no block")) return;
    block[0] = 1;
    block[(3 << 20) - 1] = 2;
    free(block);
  }
  check(malloc((size_t)1 << 31) == NULL, "two gigabytes came");
}

TEST(heap_realloc, "realloc keeps what was there") {
  char *block = malloc(10);
  strcpy(block, "pollen");
  block = realloc(block, 100000);
  equal_text(block, "pollen", "the text");
  free(block);
}

TEST(heap_calloc, "calloc clears, and sees products that are too large") {
  unsigned *numbers = calloc(100, 4);
  unsigned sum = 0;
  for (int index = 0; index < 100; index++) sum |= numbers[index];
  equal(sum, 0, "all bits");
  free(numbers);
  check(calloc(SIZE_MAX / 2, 4) == NULL, "too much came");
}

TEST(texts, "texts are compared, copied and searched") {
  char text[20] = "pol";
  strcat(text, "len");
  equal_text(text, "pollen", "strcat");
  check(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && strcmp("a", "a") == 0, "strcmp");
  check(strncmp("abc", "abd", 2) == 0, "strncmp");
  check(strchr(text, 'l') == text + 2 && strrchr(text, 'l') == text + 3, "strchr");
  check(strstr(text, "lle") == text + 2 && !strstr(text, "x"), "strstr");
  char *copy = strdup(text);
  equal_text(copy, text, "strdup");
  free(copy);
}

TEST(blocks, "overlapping blocks are moved whole") {
  char bytes[16] = "0123456789";
  memmove(bytes + 2, bytes, 8);
  equal_text(bytes, "0101234567", "to the right");
  memmove(bytes, bytes + 2, 8);
  check(memcmp(bytes, "01234567", 8) == 0, "to the left");
  check(memchr("abc", 'c', 3) != NULL && memchr("abc", 'c', 2) == NULL, "memchr");
}

TEST(numbers, "numbers are read with base, sign and limits") {
  char *end;
  equal(strtol(" -42x", &end, 10), -42, "decimal");
  equal(*end, 'x', "where it ended");
  equal(strtol("0x1F", NULL, 0), 31, "hexadecimal");
  equal(strtol("017", NULL, 0), 15, "octal");
  equal(strtol("99999999999", NULL, 10), LONG_MAX, "too large");
  equal(strtol("-99999999999", NULL, 10), LONG_MIN, "too small");
  equal(atoi("123abc"), 123, "atoi");
}

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

TEST(sorting, "qsort sorts") {
  int values[100];
  unsigned seed = 7;
  for (int index = 0; index < 100; index++) {
    seed = seed * 1103515245 + 12345;
    values[index] = (int)(seed >> 16 & 1023);
  }
  qsort(values, 100, sizeof *values, by_value);
  for (int index = 1; index < 100; index++)
    if (!check(values[index - 1] <= values[index], "two are in the wrong order")) break;
}

int main(void) {
  RUN(printf_numbers);
  RUN(printf_texts);
  RUN(printf_room);
  RUN(heap);
  RUN(heap_again);
  RUN(heap_large);
  RUN(heap_realloc);
  RUN(heap_calloc);
  RUN(texts);
  RUN(blocks);
  RUN(numbers);
  RUN(sorting);
  return finish();
}
