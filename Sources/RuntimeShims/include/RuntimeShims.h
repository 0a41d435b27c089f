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

//===--- Atomics -----------------------------------------------------------===//
// Relaxed where the name does not say otherwise: settings and counters that order nothing.

typedef struct { int32_t value; } losskit_shim_atomic_int32;
typedef struct { ptrdiff_t value; } losskit_shim_atomic_int;

static inline int32_t losskit_shim_load(losskit_shim_atomic_int32 *a) {
  return __atomic_load_n(&a->value, __ATOMIC_RELAXED);
}
static inline void losskit_shim_store(losskit_shim_atomic_int32 *a, int32_t value) {
  __atomic_store_n(&a->value, value, __ATOMIC_RELAXED);
}
static inline void losskit_shim_store_int(losskit_shim_atomic_int *a, ptrdiff_t value) {
  __atomic_store_n(&a->value, value, __ATOMIC_RELAXED);
}
static inline ptrdiff_t losskit_shim_take_next(losskit_shim_atomic_int *a) {
  return __atomic_fetch_add(&a->value, 1, __ATOMIC_RELAXED);
}

// Sequentially consistent: threads hand work to each other through these.
static inline int32_t losskit_shim_load_ordered(losskit_shim_atomic_int32 *a) {
  return __atomic_load_n(&a->value, __ATOMIC_SEQ_CST);
}
static inline int32_t losskit_shim_exchange(losskit_shim_atomic_int32 *a, int32_t value) {
  return __atomic_exchange_n(&a->value, value, __ATOMIC_SEQ_CST);
}
static inline int32_t losskit_shim_add(losskit_shim_atomic_int32 *a, int32_t value) {
  return __atomic_add_fetch(&a->value, value, __ATOMIC_SEQ_CST);
}
static inline bool losskit_shim_replace(losskit_shim_atomic_int32 *a, int32_t old, int32_t value) {
  return __atomic_compare_exchange_n(&a->value, &old, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

//===--- Linux threads -----------------------------------------------------===//
// Own names for libc's functions, with just the types that are needed: a cross-build then needs no libc headers, and
// nothing clashes where Swift imports the real ones.

long losskit_shim_syscall(long number, ...) __asm__("syscall");
int32_t losskit_shim_process_id(void) __asm__("getpid");

typedef struct { unsigned long words[16]; } losskit_shim_signal_set;
int losskit_shim_sigfillset(losskit_shim_signal_set *set) __asm__("sigfillset");
int losskit_shim_sigdelset(losskit_shim_signal_set *set, int signal) __asm__("sigdelset");
int losskit_shim_sigprocmask(int how, const losskit_shim_signal_set *set, losskit_shim_signal_set *old)
    __asm__("sigprocmask");

typedef void *(*losskit_shim_thread_body)(void *context);
#ifdef LOSSKIT_OLD_PTHREAD_VERSION
// The shared library: the symbol version that every glibc has. Weak, because before glibc 2.34 it came with libpthread,
// which a program need not have loaded.
int losskit_shim_pthread_create(unsigned long *thread, const void *attributes, losskit_shim_thread_body body,
                                void *context) __asm__("pthread_create@" LOSSKIT_OLD_PTHREAD_VERSION)
    __attribute__((weak));
#define LOSSKIT_HAS_PTHREADS (&losskit_shim_pthread_create != 0)
#else
// The static library: a strong reference, so that the linker brings threads along.
int losskit_shim_pthread_create(unsigned long *thread, const void *attributes, losskit_shim_thread_body body,
                                void *context) __asm__("pthread_create");
#define LOSSKIT_HAS_PTHREADS 1
#endif

// Starts a thread that runs until the process ends; false if there can be none. It takes no signals but those that
// its own instructions raise: the program's handlers keep running on the program's threads.
static inline bool losskit_shim_start_thread(losskit_shim_thread_body body) {
  enum { SET_MASK = 2, ILLEGAL = 4, BUS = 7, FLOATING_POINT = 8, SEGMENT = 11 };
  if (!LOSSKIT_HAS_PTHREADS) return false;
  losskit_shim_signal_set blocked, before;
  losskit_shim_sigfillset(&blocked);
  losskit_shim_sigdelset(&blocked, ILLEGAL);
  losskit_shim_sigdelset(&blocked, BUS);
  losskit_shim_sigdelset(&blocked, FLOATING_POINT);
  losskit_shim_sigdelset(&blocked, SEGMENT);
  losskit_shim_sigprocmask(SET_MASK, &blocked, &before);
  unsigned long thread;
  bool started = losskit_shim_pthread_create(&thread, 0, body, 0) == 0;
  losskit_shim_sigprocmask(SET_MASK, &before, 0);
  return started;
}

// Sleeps while *a is `value` (or less long: the caller looks again), and wakes up to `count` sleepers. Futexes rather
// than a mutex and a condition variable: they hold no state that a fork could leave locked.
#if defined(__x86_64__)
#define LOSSKIT_SYSCALL_FUTEX 202
#else
#define LOSSKIT_SYSCALL_FUTEX 98
#endif
static inline void losskit_shim_sleep_while(losskit_shim_atomic_int32 *a, int32_t value) {
  losskit_shim_syscall(LOSSKIT_SYSCALL_FUTEX, &a->value, 128 /* wait, private */, value, (void *)0, (void *)0, 0);
}
static inline void losskit_shim_wake(losskit_shim_atomic_int32 *a, int32_t count) {
  losskit_shim_syscall(LOSSKIT_SYSCALL_FUTEX, &a->value, 129 /* wake, private */, count, (void *)0, (void *)0, 0);
}

#endif
