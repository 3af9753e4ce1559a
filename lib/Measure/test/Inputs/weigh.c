/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Reads lines of llvm-objdump -d and prints each with its weight: a number, `access` for one each access, `unknown`. */
#include "lib/Measure/Plugin/weight.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  char line[512];
  while (fgets(line, sizeof line, stdin)) {
    char *text = strchr(line, ':'), *tab = text ? strchr(text, '\t') : NULL, *end;
    uint8_t bytes[4] = {0};
    size_t size = 0;
    if (!tab || line[0] != ' ')
      continue;
    *tab = 0;
    /* Words of 16 bits, or one of 32. */
    for (char *at = text + 1; size < 4; at = end) {
      unsigned long word = strtoul(at, &end, 16);
      if (end == at)
        break;
      size_t digits = strspn(at + strspn(at, " "), "0123456789abcdef");
      for (size_t i = 0; i < digits / 2; ++i)
        bytes[size++] = (uint8_t)(word >> 8 * i);
    }
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    int weight = weigh(bytes, size);
    if (weight == WEIGHT_BY_STATE)
      weight = (int)weigh_executed(word);
    printf("%s", weight == 0 ? "unknown" : weight == WEIGHT_BY_ACCESS ? "access" : "");
    if (weight > 0)
      printf("%d", weight);
    printf(" %s", tab + 1);
  }
  return 0;
}
