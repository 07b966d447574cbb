/* The twelve programs that measure generated code; benchmarks.ts is their twin. Each gives a checksum. */
#define NOINLINE __attribute__((noinline))

NOINLINE int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int bench_calls(void) { return fib(18); }

static unsigned char bytes[4096];
int bench_hash(void) {
  for (int i = 0; i < 4096; i++) bytes[i] = (unsigned char)(i * 7 + 3);
  unsigned h = 2166136261u;
  for (int round = 0; round < 4; round++)
    for (int i = 0; i < 4096; i++) { h ^= bytes[i]; h *= 16777619u; h = (h << 5) | (h >> 27); }
  return (int)h;
}

static unsigned char composite[8192];
int bench_sieve(void) {
  int count = 0;
  for (int i = 0; i < 8192; i++) composite[i] = 0;
  for (int i = 2; i < 8192; i++) {
    if (composite[i]) continue;
    count++;
    for (int j = i + i; j < 8192; j += i) composite[j] = 1;
  }
  return count;
}

static int ma[24 * 24], mb[24 * 24], mc[24 * 24];
int bench_matrix(void) {
  for (int i = 0; i < 24 * 24; i++) { ma[i] = i % 17; mb[i] = i % 13; }
  for (int i = 0; i < 24; i++)
    for (int j = 0; j < 24; j++) {
      int sum = 0;
      for (int k = 0; k < 24; k++) sum += ma[i * 24 + k] * mb[k * 24 + j];
      mc[i * 24 + j] = sum;
    }
  int total = 0;
  for (int i = 0; i < 24 * 24; i++) total = total * 3 + mc[i];
  return total;
}

static int values[1024];
NOINLINE void quicksort(int *a, int low, int high) {
  while (low < high) {
    int pivot = a[(low + high) >> 1], i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i <= j) { int t = a[i]; a[i] = a[j]; a[j] = t; i++; j--; }
    }
    if (j - low < high - i) { quicksort(a, low, j); low = i; }
    else { quicksort(a, i, high); high = j; }
  }
}
int bench_sort(void) {
  unsigned seed = 12345;
  for (int i = 0; i < 1024; i++) { seed = seed * 1103515245u + 12345u; values[i] = (int)(seed >> 8) & 0xffff; }
  quicksort(values, 0, 1023);
  int sum = 0;
  for (int i = 0; i < 1024; i++) sum = sum * 31 + values[i];
  return sum;
}

struct node { int value; struct node *next; };
static struct node nodes[512];
int bench_list(void) {
  struct node *head = 0;
  for (int i = 0; i < 512; i++) { nodes[i].value = i * 3; nodes[i].next = head; head = &nodes[i]; }
  int sum = 0;
  for (int round = 0; round < 8; round++) {
    struct node *reversed = 0;
    while (head) { struct node *next = head->next; head->next = reversed; reversed = head; head = next; }
    head = reversed;
    for (struct node *at = head; at; at = at->next) sum += at->value ^ round;
  }
  return sum;
}

static unsigned char program[32];
static int machine_stack[16];
NOINLINE int interpret(int n) {
  int sp = 0, pc = 0, acc = 0, counter = n;
  for (;;) {
    switch (program[pc++]) {
      case 0: machine_stack[sp++] = acc; break;
      case 1: acc += machine_stack[--sp]; break;
      case 2: acc = acc * 3; break;
      case 3: acc ^= 0x55; break;
      case 4: counter--; break;
      case 5: if (counter) pc = program[pc]; else pc++; break;
      case 6: acc = acc >> 1; break;
      case 7: return acc;
      default: return -1;
    }
  }
}
int bench_interpreter(void) {
  static const unsigned char code[] = {0, 2, 3, 1, 6, 4, 5, 0, 7};
  for (int i = 0; i < 9; i++) program[i] = code[i];
  return interpret(2000);
}

typedef int (*operation)(int, int);
NOINLINE static int add(int a, int b) { return a + b; }
NOINLINE static int sub(int a, int b) { return a - b; }
NOINLINE static int mix(int a, int b) { return (a << 1) ^ b; }
NOINLINE static int low(int a, int b) { return a < b ? a : b; }
static operation operations[4];
int bench_indirect(void) {
  operations[0] = add; operations[1] = sub; operations[2] = mix; operations[3] = low;
  int acc = 1;
  for (int i = 0; i < 3000; i++) acc = operations[i & 3](acc, i);
  return acc;
}

static char text[1024];
NOINLINE static int length(const char *s) { int n = 0; while (s[n]) n++; return n; }
NOINLINE static int compare(const char *a, const char *b) { while (*a && *a == *b) { a++; b++; } return *a - *b; }
int bench_text(void) {
  int n = 0;
  for (int i = 0; i < 1000; i++) text[n++] = (char)('a' + i % 26);
  text[n] = 0;
  int sum = 0;
  for (int i = 0; i < 8; i++) sum += length(text + i) + compare(text, text + 26 * i);
  for (char *p = text; *p; p++) { char c = *p; if (c >= 'a' && c <= 'z') c -= 32; sum = sum * 31 + c; }
  return sum;
}

static double xs[256];
int bench_floats(void) {
  for (int i = 0; i < 256; i++) xs[i] = i * 0.5 - 30.0;
  double sum = 0, product = 1;
  for (int round = 0; round < 8; round++)
    for (int i = 0; i < 256; i++) { double x = xs[i]; sum += x * x - 0.25 * x; product = product * 0.5 + x; if (product > 1e6) product = 1; }
  return (int)(sum + product);
}

int bench_bits(void) {
  unsigned long long state = 88172645463325252ull;
  int total = 0;
  for (int i = 0; i < 2000; i++) {
    state ^= state << 13; state ^= state >> 7; state ^= state << 17;
    total += (int)(state & 0xff) + (int)(state >> 56);
  }
  return total;
}

struct queue { unsigned head, tail; unsigned items[64]; };
static struct queue ring;
NOINLINE static int push(struct queue *q, unsigned x) { if (q->tail - q->head == 64) return 0; q->items[q->tail++ & 63] = x; return 1; }
NOINLINE static unsigned pop(struct queue *q) { return q->head == q->tail ? 0 : q->items[q->head++ & 63]; }
int bench_queue(void) {
  unsigned sum = 0;
  ring.head = ring.tail = 0;
  for (unsigned i = 0; i < 2000; i++) { push(&ring, i * 5); if (i & 1) sum += pop(&ring) + pop(&ring); }
  return (int)sum;
}

/* The same by hand: a state machine whose task is a struct. */
struct turns { void (*resume)(struct turns *); int state; unsigned i, value; int result; };
static void turns_resume(struct turns *t) {
  switch (t->state) {
  case 0:
    for (t->i = 0; t->i < 500; t->i++) {
      t->value = t->value * 5 + t->i;
      t->state = 1;
      return;
  case 1:;
    }
    t->result = (int)t->value;
    t->state = 2;
  }
}
static struct turns ping, pong;
int bench_pingpong(void) {
  ping = (struct turns){turns_resume, 0, 0, 1, 0};
  pong = (struct turns){turns_resume, 0, 0, 2, 0};
  ping.resume(&ping);
  pong.resume(&pong);
  while (ping.state != 2) { ping.resume(&ping); pong.resume(&pong); }
  return ping.result * 3 + pong.result;
}
