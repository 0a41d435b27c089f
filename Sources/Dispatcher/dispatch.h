// One copy of the kernels per instruction set is linked in, under names that end in the tier's. Each public function
// picks its copy through a small table of its own. Function and table sit in sections of their own, so that a program
// linked with --gc-sections carries only what it calls.
#ifndef LOSSKIT_DISPATCH_H
#define LOSSKIT_DISPATCH_H

#include <losskit/losskit.h>

// The index of the tier in use, or -1 before the first call. Only isa.c writes it.
extern int losskit_tier_in_use;
int losskit_choose_tier(void);

static inline int losskit_tier(void) {
  int tier = __atomic_load_n(&losskit_tier_in_use, __ATOMIC_RELAXED);
  return __builtin_expect(tier >= 0, 1) ? tier : losskit_choose_tier();
}

#if defined(LOSSKIT_ONLY_TIER)

// A build for one kind of processor (-DLOSSKIT_ONLY_TIER=avx2 to CMake): smaller, and the caller's own risk elsewhere.
#define LOSSKIT_TEXT(x) #x
#define LOSSKIT_NAME_OF(x) LOSSKIT_TEXT(x)
#define LOSSKIT_JOINED(name, tier) name##__##tier
#define LOSSKIT_COPY(name, tier) LOSSKIT_JOINED(name, tier)
enum { LOSSKIT_TIERS = 1 };
#define LOSSKIT_TIER_NAMES {LOSSKIT_NAME_OF(LOSSKIT_ONLY_TIER)}

#define LOSSKIT_ENTRY(name, parameters, arguments)                                                                     \
  losskit_status LOSSKIT_COPY(name, LOSSKIT_ONLY_TIER) parameters;                                                     \
  losskit_status name parameters { return LOSSKIT_COPY(name, LOSSKIT_ONLY_TIER) arguments; }

#elif defined(__x86_64__)

enum { LOSSKIT_TIER_BASELINE, LOSSKIT_TIER_AVX2, LOSSKIT_TIER_AVX512, LOSSKIT_TIERS };
#define LOSSKIT_TIER_NAMES {"baseline", "avx2", "avx512"}

#define LOSSKIT_ENTRY(name, parameters, arguments)                                                                     \
  losskit_status name##__baseline parameters;                                                                          \
  losskit_status name##__avx2 parameters;                                                                              \
  losskit_status name##__avx512 parameters;                                                                            \
  static losskit_status(*const name##__tiers[LOSSKIT_TIERS]) parameters = {name##__baseline, name##__avx2,             \
                                                                           name##__avx512};                            \
  losskit_status name parameters { return name##__tiers[losskit_tier()] arguments; }

#elif defined(__aarch64__)

enum { LOSSKIT_TIER_NEON, LOSSKIT_TIERS };
#define LOSSKIT_TIER_NAMES {"neon"}

#define LOSSKIT_ENTRY(name, parameters, arguments)                                                                     \
  losskit_status name##__neon parameters;                                                                              \
  losskit_status name parameters { return name##__neon arguments; }

#else
#error "LossKit knows x86-64 and aarch64"
#endif

#endif
