// The smallest program in C: says hello, and what it was given.
#include <stdio.h>

int main(int argc, char **argv) {
  printf("Hello from C\n");
  for (int index = 1; index < argc; index++) printf("argument %d: %s\n", index, argv[index]);
  return 0;
}
