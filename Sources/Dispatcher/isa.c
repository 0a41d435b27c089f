// Which instruction set the kernels run on: what the processor and the operating system have, or less if the
// environment says so.
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

int losskit_tier_in_use = -1;

static const char *const tier_names[LOSSKIT_TIERS] = LOSSKIT_TIER_NAMES;

#if defined(__x86_64__) && !defined(LOSSKIT_ONLY_TIER)
#include <cpuid.h>

static unsigned long long enabled_registers(void) {
  unsigned eax, edx;
  __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return ((unsigned long long)edx << 32) | eax;
}

// The features of x86-64-v3 and v4 that the compiler is told it may use.
static int best_tier(void) {
  enum {
    FMA = 1u << 12, MOVBE = 1u << 22, OSXSAVE = 1u << 27, AVX = 1u << 28, F16C = 1u << 29,  // leaf 1, ecx
    BMI1 = 1u << 3, AVX2 = 1u << 5, BMI2 = 1u << 8,                                         // leaf 7, ebx
    LZCNT = 1u << 5                                                                         // leaf 0x80000001, ecx
  };
  const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;  // leaf 7, ebx: F, DQ, CD, BW, VL
  const unsigned long long ymm = 0x6, zmm = 0xe6;
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return LOSSKIT_TIER_BASELINE;
  const unsigned want1 = FMA | MOVBE | OSXSAVE | AVX | F16C;
  if ((c & want1) != want1 || (enabled_registers() & ymm) != ymm) return LOSSKIT_TIER_BASELINE;
  if (!__get_cpuid(0x80000001u, &a, &b, &c, &d) || !(c & LZCNT)) return LOSSKIT_TIER_BASELINE;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return LOSSKIT_TIER_BASELINE;
  const unsigned want7 = BMI1 | AVX2 | BMI2;
  if ((b & want7) != want7) return LOSSKIT_TIER_BASELINE;
  if ((b & avx512) != avx512 || (enabled_registers() & zmm) != zmm) return LOSSKIT_TIER_AVX2;
  return LOSSKIT_TIER_AVX512;
}
#else
static int best_tier(void) { return LOSSKIT_TIERS - 1; }
#endif

// Two threads may choose at once: they choose the same.
int losskit_choose_tier(void) {
  int tier = best_tier();
  const char *wanted = getenv("LOSSKIT_ISA");
  if (wanted)
    for (int i = 0; i < tier; i++)
      if (strcmp(wanted, tier_names[i]) == 0) tier = i;
  __atomic_store_n(&losskit_tier_in_use, tier, __ATOMIC_RELAXED);
  return tier;
}

const char *losskit_isa_name(void) { return tier_names[losskit_tier()]; }
