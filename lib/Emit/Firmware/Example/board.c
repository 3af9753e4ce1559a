/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * The example's text and files, without a C library. Operations and blocks: "Semihosting for AArch32 and AArch64". */
#include "board.h"

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE0 = 0x04, SYS_READ = 0x06, SYS_FLEN = 0x0C, SYS_EXIT_EXTENDED = 0x20 };
enum { APPLICATION_EXIT = 0x20026, READ_BINARY = 1 };

#ifndef BOARD_SHOWN_ELEMENTS /* of each output */
#define BOARD_SHOWN_ELEMENTS 64
#endif

static uint32_t all_outputs = 2166136261u;

static void print(const char *text) { board_call(SYS_WRITE0, text); }

static void print_number(uint32_t number, unsigned base, unsigned digits) {
  char text[11];
  unsigned at = 10;
  text[10] = 0;
  do {
    unsigned digit = number % base;
    text[--at] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
    number /= base;
  } while (number || 10 - at < digits);
  print(text + at);
}

static void print_signed(int32_t number) {
  if (number < 0)
    print("-");
  print_number(number < 0 ? -(uint32_t)number : (uint32_t)number, 10, 1);
}

void board_exit(int status) {
  long block[2] = {APPLICATION_EXIT, status};
  board_call(SYS_EXIT_EXTENDED, block);
  for (;;)
    ;
}

void board_fail(const char *what, unsigned number) {
  print(what);
  print(" ");
  print_number(number, 10, 1);
  print("\n");
  board_exit(99);
}

void board_input(const char *file, void *data, uint32_t bytes) {
  uint8_t *to = data;
  long length = 0;
  while (file[length])
    ++length;
  long open[3] = {(long)file, READ_BINARY, length}, handle = board_call(SYS_OPEN, open);
  if (handle == -1) {
    for (uint32_t i = 0; i < bytes; ++i)
      to[i] = (uint8_t)(37 * i + 139);
    return;
  }
  long size = board_call(SYS_FLEN, &handle);
  long read[3] = {handle, (long)data, (long)bytes};
  if (size != (long)bytes || board_call(SYS_READ, read) != 0)
    board_fail("an input file has not the size of the input:", (unsigned)size);
  board_call(SYS_CLOSE, &handle);
}

static uint32_t hash(uint32_t start, const uint8_t *bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    start = (start ^ bytes[i]) * 16777619u;
  return start;
}

void board_output(const char *name, const void *data, uint32_t elements, uint32_t element_bytes) {
  const uint8_t *bytes = data;
  all_outputs = hash(all_outputs, bytes, elements * element_bytes);
  print(name);
  print(": hash ");
  print_number(hash(2166136261u, bytes, elements * element_bytes), 16, 8);
  print(":");
  for (uint32_t i = 0; i < elements && i < BOARD_SHOWN_ELEMENTS; ++i) {
    print(" ");
    if (element_bytes == 1)
      print_signed(((const int8_t *)data)[i]);
    else if (element_bytes == 2)
      print_signed(((const int16_t *)data)[i]);
    else
      print_signed(((const int32_t *)data)[i * (element_bytes / 4)]);
  }
  print(elements > BOARD_SHOWN_ELEMENTS ? " ...\n" : "\n");
}

void board_summary(void) {
  print("all outputs: hash ");
  print_number(all_outputs, 16, 8);
  print("\n");
}
