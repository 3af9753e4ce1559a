/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Two models in one program, which share an arena. */
#include "board.h"
#include "kws.h"
#include "sww.h"

enum { BYTES = KWS_ARENA_BYTES > SWW_ARENA_BYTES ? KWS_ARENA_BYTES : SWW_ARENA_BYTES };
static KWS_ALIGNED uint8_t arena[BYTES];

int main(void) {
  board_input("none", KWS_INPUT0(arena), KWS_INPUT0_ELEMENTS);
  kws_run(KWS_INPUT0(arena), KWS_OUTPUT0(arena), arena);
  board_output("kws", KWS_OUTPUT0(arena), KWS_OUTPUT0_ELEMENTS, 1);
  board_input("none", SWW_INPUT0(arena), SWW_INPUT0_ELEMENTS);
  sww_run(SWW_INPUT0(arena), SWW_OUTPUT0(arena), arena);
  board_output("sww", SWW_OUTPUT0(arena), SWW_OUTPUT0_ELEMENTS, 1);
  board_summary();
  return 0;
}
