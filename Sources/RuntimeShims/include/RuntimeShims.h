//===----------------------------------------------------------------------===//
// RuntimeShims: what the kernels and the runtime see of each other and of libc.
//
// The kernels are compiled once per instruction set, the runtime (threads) once.
// They meet at the C symbols below, which never leave the library.
//===----------------------------------------------------------------------===//
#ifndef LOSSKIT_RUNTIME_SHIMS_H
#define LOSSKIT_RUNTIME_SHIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Runs body(context, 0) … body(context, count - 1), each once, on as many
// threads as losskit_set_num_threads allows, and returns when all are done.
// Nested or concurrent calls run their bodies on the calling thread.
typedef void (*losskit_runtime_body)(void *context, ptrdiff_t index);
void losskit_runtime_parallel(ptrdiff_t count, losskit_runtime_body body, void *context);

// How many threads losskit_set_num_threads allows.
int32_t losskit_runtime_threads(void);

// Memory for scratch that a caller's workspace does not cover; NULL when there
// is none left. 64-byte aligned.
void *losskit_runtime_allocate(size_t bytes);
void losskit_runtime_free(void *memory);

//===--- libc and the compiler, for the runtime ----------------------------===//

int posix_memalign(void **memory, size_t alignment, size_t size);
void free(void *memory);

typedef struct { int32_t value; } losskit_shim_atomic_int32;
static inline int32_t losskit_shim_load(losskit_shim_atomic_int32 *a) {
  return __atomic_load_n(&a->value, __ATOMIC_RELAXED);
}
static inline void losskit_shim_store(losskit_shim_atomic_int32 *a, int32_t value) {
  __atomic_store_n(&a->value, value, __ATOMIC_RELAXED);
}

#endif
