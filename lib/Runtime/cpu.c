// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which level of the code this processor can run. What the probes mean is known to the target that wrote them.
#include "lib/Runtime/qtrt.h"
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

static uint32_t enabled_state(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

int qtrt_ask_processor(uint32_t leaf, uint32_t subleaf, uint32_t words[4]) {
  if (leaf != QTRT_ENABLED_STATE)
    return __get_cpuid_count(leaf, subleaf, &words[0], &words[1], &words[2], &words[3]);
  words[0] = enabled_state();
  return 1;
}
#else
int qtrt_ask_processor(uint32_t leaf, uint32_t subleaf, uint32_t words[4]) {
  (void)leaf, (void)subleaf, (void)words; // Without a way to ask, only levels that need nothing are safe.
  return 0;
}
#endif

/// Whether all of them hold.
static int answers(const struct qtrt_probe *probes, int64_t count, qtrt_ask *ask) {
  for (int64_t i = 0; i < count; ++i) {
    const struct qtrt_probe *probe = &probes[i];
    uint32_t words[4] = {0, 0, 0, 0};
    if (probe->word > 3 || !ask(probe->leaf, probe->subleaf, words) || (words[probe->word] & probe->bits) != probe->bits)
      return 0;
  }
  return 1;
}

int qtrt_supports(const struct qtrt_level *level, qtrt_ask *ask) {
  return answers(level->probes, level->probe_count, ask);
}

int64_t qtrt_find_core(const struct qtrt_level *level, qtrt_ask *ask) {
  for (int64_t i = 0; i < level->core_count; ++i)
    if (answers(level->cores[i].probes, level->cores[i].probe_count, ask))
      return i + 1;
  return 0;
}

const struct qtrt_level *qtrt_pick_level(const struct qtrt_handle *handle, const char *name) {
  const struct qtrt_model *model = handle->model;
  if (!name || !*name)
    name = getenv("QTENSOR_CPU_LEVEL");
  for (int64_t i = model->level_count - 1; i >= 0; --i) {
    const struct qtrt_level *level = &model->levels[i];
    if (name && *name && strcmp(level->name, name) != 0)
      continue;
    if (qtrt_supports(level, qtrt_ask_processor))
      return level;
    if (name && *name) {
      qtrt_report(handle, "this processor does not support the level '%s'", name);
      return NULL;
    }
  }
  qtrt_report(handle, "no code for processor level '%s'; the lowest level of this model is '%s'", name ? name : "",
              model->level_count ? model->levels[0].name : "(none)");
  return NULL;
}
