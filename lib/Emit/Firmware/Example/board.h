/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * What the example program needs of a board. Text and files go through the debugger (semihosting), which an emulator is. */
#ifndef BOARD_H
#define BOARD_H
#include <stdint.h>

/* One request to the debugger. In startup.c or startup.S, as the next one. */
long board_call(long operation, const void *block);

/* Calls a function on another stack, which ends at `top`. Its arguments are pointers; `on_stack` of them do not fit the
 * registers that the calling convention has for arguments, and lie behind those that do. Returns what the function returns, if
 * it does. */
unsigned board_run_on(void (*function)(void), void *const *arguments, unsigned on_stack, void *top);

/* Ends the program; 0 is success. */
void board_exit(int status) __attribute__((noreturn));

/* Prints a line with a number and ends the program: what the processor stopped for. */
void board_fail(const char *what, unsigned number) __attribute__((noreturn));

/* Fills an input from a file of the host, which must have that many bytes. Without a file: a fixed pattern. */
void board_input(const char *file, void *data, uint32_t bytes);

/* Prints an output: a hash of its bytes (FNV-1a), and its first elements. */
void board_output(const char *name, const void *data, uint32_t elements, uint32_t element_bytes);

/* Prints the hash of all outputs so far, one after the other. */
void board_summary(void);

#endif
