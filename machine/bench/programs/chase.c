/* Pointer chase over 8 MiB of 4 KiB pages: every step another page, so every TLB suffers. */
typedef unsigned long u64;
#define PAGES 2048
int main(void) {
  char *window = (char *)0x40000000;
  /* A permutation of pages with one cycle: n -> 5 n + 1 modulo a power of two has full period when taken as a sequence. */
  u64 page = 0;
  for (int i = 0; i < PAGES; i++) {
    u64 next = (page * 5 + 1) % PAGES;
    *(char **)(window + page * 4096 + page % 64 * 8) = window + next * 4096 + next % 64 * 8;
    page = next;
  }
  char *p = window;
  for (int i = 0; i < 15000000; i++) p = *(char **)p;
  return p == 0;
}
