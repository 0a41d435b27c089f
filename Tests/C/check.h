// What the C tests share: checks that count, and arrays that end where memory ends.
#ifndef LOSSKIT_TESTS_CHECK_H
#define LOSSKIT_TESTS_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int checks_failed;

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      checks_failed++;                                                                                                 \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                        \
    }                                                                                                                  \
  } while (0)

// An array between unmapped pages: it ends exactly at one, or begins right after one. Touching a byte outside on that
// side is a crash. (The other side has the rest of a page, which `guarded_free` checks to be unchanged.)
typedef struct {
  unsigned char *data;
  size_t bytes;
  unsigned char *mapping;
  size_t pages;  // accessible bytes, between two unmapped pages
} guarded;

enum { GUARD_AT_END, GUARD_AT_START };
enum { GUARD_FILL = 0xa5 };

static inline guarded guarded_allocate(size_t bytes, int side) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  guarded g = {.bytes = bytes, .pages = (bytes + page - 1) / page * page};
  if (g.pages == 0) g.pages = page;
  g.mapping = mmap(NULL, g.pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (g.mapping == MAP_FAILED || mprotect(g.mapping + page, g.pages, PROT_READ | PROT_WRITE) != 0) {
    perror("guarded_allocate");
    exit(2);
  }
  memset(g.mapping + page, GUARD_FILL, g.pages);
  g.data = g.mapping + page + (side == GUARD_AT_END ? g.pages - bytes : 0);
  return g;
}

// Makes the array read-only: writing to an input is then a crash too.
static inline void guarded_freeze(const guarded *g) {
  mprotect(g->mapping + sysconf(_SC_PAGESIZE), g->pages, PROT_READ);
}

static inline void guarded_free(guarded *g) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const unsigned char *first = g->mapping + page, *last = first + g->pages;
  int intact = 1;
  for (const unsigned char *p = first; p < g->data; p++) intact &= *p == GUARD_FILL;
  for (const unsigned char *p = g->data + g->bytes; p < last; p++) intact &= *p == GUARD_FILL;
  CHECK(intact);
  munmap(g->mapping, g->pages + 2 * page);
}

// One 64-bit number for a sequence of words.
static inline uint64_t hash_word(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}
#define HASH_START 0xcbf29ce484222325u

static inline int finish(const char *name) {
  if (checks_failed) fprintf(stderr, "%s: %d checks failed\n", name, checks_failed);
  return checks_failed != 0;
}

#endif
