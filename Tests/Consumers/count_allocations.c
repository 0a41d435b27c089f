// Linked into a program with --wrap for each of these functions: prints at its end how often memory was asked for.
#include <stddef.h>
#include <stdio.h>

static unsigned long calls;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);

void *__wrap_malloc(size_t size) { return ++calls, __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return ++calls, __real_calloc(count, size); }
void *__wrap_realloc(void *memory, size_t size) { return ++calls, __real_realloc(memory, size); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) { return ++calls, __real_aligned_alloc(alignment, size); }
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
  return ++calls, __real_posix_memalign(memory, alignment, size);
}

__attribute__((destructor)) static void report(void) { fprintf(stderr, "%lu", calls); }
