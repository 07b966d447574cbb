// Owns what assembly calls in a program that is all C; TypeScript has user/hooks.ts.
#include <stdlib.h>

/* main has come back. */
void __exit(int status) { exit(status); }
