// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A network run by TFLite Micro's interpreter, with the kernels of CMSIS-NN and no others than it needs. Prints the bytes of
// the arena that it used, those of its stack, and its output; a plugin of the emulator counts the instructions of one run.
// NETWORK_OPS registers the operators, ARENA_BYTES is room enough.
#include "tensorflow/lite/micro/kernels/add.h"
#include "tensorflow/lite/micro/kernels/conv.h"
#include "tensorflow/lite/micro/kernels/depthwise_conv.h"
#include "tensorflow/lite/micro/kernels/fully_connected.h"
#include "tensorflow/lite/micro/kernels/pooling.h"
#include "tensorflow/lite/micro/kernels/softmax.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "board.h"
__attribute__((noinline)) void region_begin(void) { __asm__ volatile("nop" ::: "memory"); }
__attribute__((noinline)) void region_end(void) { __asm__ volatile("nop" ::: "memory"); }
int main(void);
extern const unsigned char network_file[];
}

static const uint32_t kPainted = 8192, kPaint = 0xa5a5a5a5;
alignas(16) uint8_t network_arena[ARENA_BYTES];

static void printNumber(const char *name, uint32_t number) {
  char text[12];
  char *at = text + 10;
  at[0] = '\n', at[1] = 0;
  do
    *--at = char('0' + number % 10);
  while (number /= 10);
  board_call(0x04, name);
  board_call(0x04, at);
}

static __attribute__((noinline)) bool runNetwork() {
  tflite::MicroMutableOpResolver<8> ops;
  NETWORK_OPS
  tflite::MicroInterpreter interpreter(tflite::GetModel(network_file), ops, network_arena, sizeof network_arena);
  if (interpreter.AllocateTensors() != kTfLiteOk)
    return false;
  TfLiteTensor *input = interpreter.input(0), *output = interpreter.output(0);
  board_input("input0.bin", input->data.raw, uint32_t(input->bytes));
  region_begin();
  bool good = interpreter.Invoke() == kTfLiteOk;
  region_end();
  printNumber("arena ", uint32_t(interpreter.arena_used_bytes()));
  board_output("output0", output->data.raw, uint32_t(output->bytes), 1);
  return good;
}

/// How much of the paint below this frame is gone.
int main(void) {
  volatile uint32_t *bottom = static_cast<uint32_t *>(__builtin_frame_address(0)) - 16 - kPainted / 4;
  for (uint32_t i = 0; i < kPainted / 4; ++i)
    bottom[i] = kPaint;
  bool good = runNetwork();
  uint32_t untouched = 0;
  while (untouched < kPainted / 4 && bottom[untouched] == kPaint)
    ++untouched;
  printNumber("stack ", kPainted + 64 - 4 * untouched);
  return good ? 0 : 1;
}
