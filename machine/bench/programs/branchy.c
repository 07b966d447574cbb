/* What programs mostly do: a small state machine over bytes, list walking, and a CRC, with calls between them. */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

struct node { struct node *next; u32 key, value; };
static struct node nodes[256];
static u8 text[4096];

static __attribute__((noinline)) u32 crc(u32 state, u8 byte) {
  state ^= byte;
  for (int i = 0; i < 8; i++) state = state & 1 ? state >> 1 ^ 0xa001 : state >> 1;
  return state;
}

static __attribute__((noinline)) u32 scan(const u8 *p, int length) {
  u32 words = 0, digits = 0, state = 0;
  for (int i = 0; i < length; i++) {
    u8 c = p[i];
    if (c >= '0' && c <= '9') { digits++; state = state == 2 ? 2 : 1; }
    else if (c >= 'a' && c <= 'z') { if (state != 2) words++; state = 2; }
    else if (c == ',' || c == ' ') state = 0;
    else state = c & 3;
  }
  return words * 31 + digits;
}

static __attribute__((noinline)) struct node *find(struct node *list, u32 key) {
  while (list && list->key != key) list = list->next;
  return list;
}

int main(void) {
  u32 seed = 1, result = 0;
  for (int i = 0; i < 4096; i++) { seed = seed * 1103515245 + 12345; text[i] = "abcxyz019 ,.;-qrs"[(seed >> 16) % 17]; }
  for (int i = 0; i < 256; i++) { nodes[i].key = i * 7 % 256; nodes[i].next = i < 255 ? &nodes[i + 1] : 0; }
  for (int round = 0; round < 48000; round++) {
    result = crc(result, scan(text, 4096));
    for (int i = 0; i < 64; i++) {
      struct node *n = find(nodes, (i * 37 + round) % 256);
      n->value += i;
      result = crc(result, n->value);
    }
  }
  return result == 0;
}
