/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * interpret <program.elf> [counts]: runs a program for RV32IMC with the CORE-V instructions that our kernels are made of, since no
 * packaged emulator knows these. Semihosting writes text and ends the program. An instruction that is not known ends it too, so
 * what runs to its end was executed as the manuals say: RISC-V volume I; CV32E40P user manual, "CORE-V instruction set".
 * `counts` gets a line "<instructions> <instructions>" for each region between region_begin and region_end. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BASE = 0x80000000u, SIZE = 16 << 20 };
static uint8_t memory[SIZE];
static uint32_t x[32], pc;
static uint64_t executed, dots, macs;

static _Noreturn void stop(const char *why, uint32_t what) {
  fprintf(stderr, "interpret: %s %08x at %08x\n", why, what, pc);
  exit(99);
}

static uint8_t *at(uint32_t address, uint32_t bytes) {
  if (address < BASE || address - BASE > SIZE - bytes || address % bytes)
    stop("no access to", address);
  return memory + (address - BASE);
}

/* `kind` is funct3 of a load: 0 lb, 1 lh, 2 lw, 4 lbu, 5 lhu. */
static uint32_t load(uint32_t address, unsigned kind) {
  uint32_t value = 0, bytes = 1u << (kind & 3);
  if ((kind & 3) == 3 || kind == 6)
    stop("unknown load", kind);
  memcpy(&value, at(address, bytes), bytes);
  return kind == 0 ? (uint32_t)(int8_t)value : kind == 1 ? (uint32_t)(int16_t)value : value;
}

static void store(uint32_t address, uint32_t value, unsigned kind) {
  if (kind > 2)
    stop("unknown store", kind);
  memcpy(at(address, 1u << kind), &value, 1u << kind);
}

static int32_t bits(uint32_t word, unsigned high, unsigned low) { return (int32_t)(word >> low & ((2u << (high - low)) - 1)); }
static int32_t sign(uint32_t value, unsigned bit) { return (int32_t)(value << (31 - bit)) >> (31 - bit); }

/* ---- Compressed instructions, as the ones they stand for ---- */

static uint32_t type_i(int32_t imm, int rs1, int f3, int rd, int op) {
  return (uint32_t)imm << 20 | (uint32_t)rs1 << 15 | (uint32_t)f3 << 12 | (uint32_t)rd << 7 | (uint32_t)op;
}
static uint32_t type_r(int f7, int rs2, int rs1, int f3, int rd) { return type_i(f7 << 5 | rs2, rs1, f3, rd, 0x33); }
static uint32_t type_s(int32_t imm, int rs2, int rs1, int f3) {
  return (uint32_t)(imm >> 5 & 127) << 25 | (uint32_t)rs2 << 20 | (uint32_t)rs1 << 15 | (uint32_t)f3 << 12 |
         (uint32_t)(imm & 31) << 7 | 0x23;
}
static uint32_t type_b(int32_t imm, int rs1, int f3) {
  return (uint32_t)(imm >> 12 & 1) << 31 | (uint32_t)(imm >> 5 & 63) << 25 | (uint32_t)rs1 << 15 | (uint32_t)f3 << 12 |
         (uint32_t)(imm >> 1 & 15) << 8 | (uint32_t)(imm >> 11 & 1) << 7 | 0x63;
}
static uint32_t type_j(int32_t imm, int rd) {
  return (uint32_t)(imm >> 20 & 1) << 31 | (uint32_t)(imm >> 1 & 1023) << 21 | (uint32_t)(imm >> 11 & 1) << 20 |
         (uint32_t)(imm >> 12 & 255) << 12 | (uint32_t)rd << 7 | 0x6f;
}

static int32_t jump_offset(uint32_t c) {
  return sign((uint32_t)(bits(c, 12, 12) << 11 | bits(c, 11, 11) << 4 | bits(c, 10, 9) << 8 | bits(c, 8, 8) << 10 |
                         bits(c, 7, 7) << 6 | bits(c, 6, 6) << 7 | bits(c, 5, 3) << 1 | bits(c, 2, 2) << 5), 11);
}

static uint32_t expand_arithmetic(uint32_t c) { /* quadrant 1, funct3 4 */
  int rd = 8 + bits(c, 9, 7), rs2 = 8 + bits(c, 4, 2), amount = bits(c, 12, 12) << 5 | bits(c, 6, 2);
  static const int f3[] = {0, 4, 6, 7}; /* sub, xor, or, and */
  switch (bits(c, 11, 10)) {
  case 0: return type_i(amount & 31, rd, 5, rd, 0x13);
  case 1: return type_i(0x400 | (amount & 31), rd, 5, rd, 0x13);
  case 2: return type_i(sign((uint32_t)amount, 5), rd, 7, rd, 0x13);
  }
  if (bits(c, 12, 12))
    stop("unknown instruction", c);
  return type_r(bits(c, 6, 5) == 0 ? 32 : 0, rs2, rd, f3[bits(c, 6, 5)], rd);
}

static uint32_t expand(uint32_t c) {
  int rd = bits(c, 11, 7), rs2 = bits(c, 6, 2), rds = 8 + bits(c, 4, 2), rs1s = 8 + bits(c, 9, 7);
  int32_t imm = sign((uint32_t)(bits(c, 12, 12) << 5 | bits(c, 6, 2)), 5);
  int32_t word = bits(c, 5, 5) << 6 | bits(c, 12, 10) << 3 | bits(c, 6, 6) << 2;
  int32_t branch = sign((uint32_t)(bits(c, 12, 12) << 8 | bits(c, 11, 10) << 3 | bits(c, 6, 5) << 6 | bits(c, 4, 3) << 1 |
                                   bits(c, 2, 2) << 5), 8);
  switch ((c & 3) << 3 | (c >> 13 & 7)) {
  case 000: return type_i(bits(c, 12, 11) << 4 | bits(c, 10, 7) << 6 | bits(c, 6, 6) << 2 | bits(c, 5, 5) << 3, 2, 0, rds, 0x13);
  case 002: return type_i(word, rs1s, 2, rds, 0x03);
  case 006: return type_s(word, rds, rs1s, 2);
  case 010: return type_i(imm, rd, 0, rd, 0x13);
  case 011: return type_j(jump_offset(c), 1);
  case 012: return type_i(imm, 0, 0, rd, 0x13);
  case 013:
    if (rd != 2)
      return (uint32_t)imm << 12 | (uint32_t)rd << 7 | 0x37;
    imm = sign((uint32_t)(bits(c, 12, 12) << 9 | bits(c, 6, 6) << 4 | bits(c, 5, 5) << 6 | bits(c, 4, 3) << 7 | bits(c, 2, 2) << 5), 9);
    return type_i(imm, 2, 0, 2, 0x13);
  case 014: return expand_arithmetic(c);
  case 015: return type_j(jump_offset(c), 0);
  case 016: return type_b(branch, rs1s, 0);
  case 017: return type_b(branch, rs1s, 1);
  case 020: return type_i(rs2, rd, 1, rd, 0x13);
  case 022: return type_i(bits(c, 12, 12) << 5 | bits(c, 6, 4) << 2 | bits(c, 3, 2) << 6, 2, 2, rd, 0x03);
  case 024:
    if (!bits(c, 12, 12))
      return rs2 ? type_r(0, rs2, 0, 0, rd) : type_i(0, rd, 0, 0, 0x67);
    return rs2 ? type_r(0, rs2, rd, 0, rd) : rd ? type_i(0, rd, 0, 1, 0x67) : 0x00100073;
  case 026: return type_s(bits(c, 12, 9) << 2 | bits(c, 8, 7) << 6, rs2, 2, 2);
  }
  stop("unknown instruction", c);
}

/* ---- Execution ---- */

static uint32_t compute(unsigned f3, unsigned f7, uint32_t a, uint32_t b) { /* OP */
  int32_t sa = (int32_t)a, sb = (int32_t)b;
  if (f7 == 1)
    switch (f3) {
    case 0: return a * b;
    case 1: return (uint32_t)(((int64_t)sa * sb) >> 32);
    case 2: return (uint32_t)(((int64_t)sa * (int64_t)(uint64_t)b) >> 32);
    case 3: return (uint32_t)(((uint64_t)a * b) >> 32);
    case 4: return !b ? ~0u : a == 1u << 31 && sb == -1 ? a : (uint32_t)(sa / sb);
    case 5: return !b ? ~0u : a / b;
    case 6: return !b ? a : a == 1u << 31 && sb == -1 ? 0 : (uint32_t)(sa % sb);
    case 7: return !b ? a : a % b;
    }
  if (f7 != 0 && !(f7 == 32 && (f3 == 0 || f3 == 5)))
    stop("unknown operation", f7 << 3 | f3);
  switch (f3) {
  case 0: return f7 ? a - b : a + b;
  case 1: return a << (b & 31);
  case 2: return sa < sb;
  case 3: return a < b;
  case 4: return a ^ b;
  case 5: return f7 ? (uint32_t)(sa >> (b & 31)) : a >> (b & 31);
  case 6: return a | b;
  }
  return a & b;
}

static uint32_t clip(int32_t value, int32_t low, int32_t high) { return (uint32_t)(value < low ? low : value > high ? high : value); }

/* XCValu and XCVmac; `number` is the field of rs2. */
static uint32_t compute_core(unsigned f7, uint32_t a, uint32_t b, uint32_t d, unsigned number) {
  int32_t sa = (int32_t)a, sb = (int32_t)b;
  int32_t top = number ? (int32_t)((1u << (number - 1)) - 1) : 0;
  switch (f7) {
  case 0x28: return sa < 0 ? 0 - a : a;
  case 0x29: return sa <= sb;
  case 0x2a: return a <= b;
  case 0x2b: return sa < sb ? a : b;
  case 0x2c: return a < b ? a : b;
  case 0x2d: return sa > sb ? a : b;
  case 0x2e: return a > b ? a : b;
  case 0x30: return (uint32_t)(int16_t)a;
  case 0x31: return (uint16_t)a;
  case 0x32: return (uint32_t)(int8_t)a;
  case 0x33: return (uint8_t)a;
  case 0x38: return clip(sa, number ? -top - 1 : -1, top);
  case 0x39: return clip(sa, 0, top);
  case 0x48: return ++macs, d + a * b;
  case 0x49: return ++macs, d - a * b;
  }
  stop("unknown CORE-V operation", f7);
}

static void execute_core(uint32_t w) { /* custom-1: register loads and stores, stores with post-increment, ALU, MAC */
  unsigned rd = bits(w, 11, 7), f3 = bits(w, 14, 12), rs1 = bits(w, 19, 15), rs2 = bits(w, 24, 20), f7 = bits(w, 31, 25);
  uint32_t a = x[rs1], b = x[rs2];
  if (f3 < 3) {
    store(a, b, f3);
    x[rs1] = a + (uint32_t)sign((uint32_t)(f7 << 5 | rd), 11);
  } else if (f3 != 3) {
    stop("unknown instruction", w);
  } else if (f7 < 0x10) { /* bits 0, 1, 3: kind of the load; bit 2: without increment */
    x[rd] = load(f7 & 4 ? a + b : a, (f7 & 3) | (f7 >> 3 & 1) << 2);
    if (!(f7 & 4))
      x[rs1] = a + b;
  } else if (f7 < 0x18) { /* the offset is in the field of rd */
    store(f7 & 4 ? a + x[rd] : a, b, f7 & 3);
    if (!(f7 & 4))
      x[rs1] = a + x[rd];
  } else {
    x[rd] = compute_core(f7, a, b, x[rd], rs2);
  }
}

static uint32_t dot_bytes(uint32_t a, uint32_t b, uint32_t sum) { /* cv.sdotsp.b */
  ++dots;
  for (int i = 0; i < 32; i += 8)
    sum += (uint32_t)((int8_t)(a >> i) * (int8_t)(b >> i));
  return sum;
}

static void call_debugger(void) {
  if (x[10] == 0x04) {
    for (uint32_t text = x[11]; *at(text, 1); ++text)
      putchar(*at(text, 1));
  } else if (x[10] == 0x01) { /* there are no files */
    x[10] = 0xFFFFFFFFu;
  } else if (x[10] == 0x20) {
    fflush(stdout);
    fprintf(stderr, "executed %llu, of them %llu dot products and %llu multiply-adds\n", (unsigned long long)executed,
            (unsigned long long)dots, (unsigned long long)macs);
    exit((int)load(x[11] + 4, 2));
  } else {
    stop("unknown call of the debugger", x[10]);
  }
}

static int branches(unsigned f3, uint32_t a, uint32_t b) {
  int less = f3 & 2 ? a < b : (int32_t)a < (int32_t)b;
  if (f3 == 2 || f3 == 3)
    stop("unknown branch", f3);
  return (f3 & 4 ? less : a == b) != (int)(f3 & 1);
}

static void step(void) {
  uint32_t w = load(pc, 5), next = pc + 2;
  if ((w & 3) == 3) {
    w |= load(pc + 2, 5) << 16;
    next = pc + 4;
  } else {
    w = expand(w);
  }
  unsigned rd = bits(w, 11, 7), f3 = bits(w, 14, 12), f7 = bits(w, 31, 25);
  uint32_t a = x[bits(w, 19, 15)], b = x[bits(w, 24, 20)], imm = (uint32_t)((int32_t)w >> 20);
  ++executed;
  switch (w & 0x7f) {
  case 0x37: x[rd] = w & ~0xfffu; break;
  case 0x17: x[rd] = pc + (w & ~0xfffu); break;
  case 0x6f:
    x[rd] = next;
    next = pc + (uint32_t)sign((uint32_t)(bits(w, 31, 31) << 20 | bits(w, 19, 12) << 12 | bits(w, 20, 20) << 11 | bits(w, 30, 21) << 1), 20);
    break;
  case 0x67:
    x[rd] = next;
    next = (a + imm) & ~1u;
    break;
  case 0x63:
    if (branches(f3, a, b))
      next = pc + (uint32_t)sign((uint32_t)(bits(w, 31, 31) << 12 | bits(w, 7, 7) << 11 | bits(w, 30, 25) << 5 | bits(w, 11, 8) << 1), 12);
    break;
  case 0x03: x[rd] = load(a + imm, f3); break;
  case 0x23: store(a + (uint32_t)sign((uint32_t)(f7 << 5 | rd), 11), b, f3); break;
  case 0x13: x[rd] = compute(f3, f3 == 1 || f3 == 5 ? f7 : 0, a, f3 == 1 || f3 == 5 ? imm & 31 : imm); break;
  case 0x33: x[rd] = compute(f3, f7, a, b); break;
  case 0x0f: break; /* fence */
  case 0x73:
    if (w == 0x00100073)
      call_debugger();
    else if (f3 == 0)
      stop("unknown instruction", w);
    else
      x[rd] = 0; /* control registers: start-up writes some */
    break;
  case 0x0b: { /* custom-0: loads with post-increment */
    unsigned rs1 = bits(w, 19, 15);
    uint32_t value = load(a, f3);
    x[rs1] = a + imm;
    x[rd] = value;
    break;
  }
  case 0x2b: execute_core(w); break;
  case 0x7b:
    if (f3 != 1 || f7 != 0x54)
      stop("unknown SIMD instruction", w);
    x[rd] = dot_bytes(a, b, x[rd]);
    break;
  default: stop("unknown instruction", w);
  }
  x[0] = 0;
  pc = next;
}

/* ---- ELF ---- */

static uint32_t word(const uint8_t *from) { return from[0] | from[1] << 8 | from[2] << 16 | (uint32_t)from[3] << 24; }
static uint32_t half(const uint8_t *from) { return from[0] | (uint32_t)from[1] << 8; }

static void load_program(const uint8_t *file) {
  const uint8_t *header = file + word(file + 28);
  for (uint32_t i = 0; i < half(file + 44); ++i, header += half(file + 42))
    if (word(header) == 1 && word(header + 16)) { /* PT_LOAD: to its physical address */
      if (word(header + 12) < BASE || word(header + 12) - BASE + word(header + 16) > SIZE)
        stop("a segment lies outside:", word(header + 12));
      memcpy(memory + (word(header + 12) - BASE), file + word(header + 4), word(header + 16));
    }
  pc = word(file + 24);
}

static uint32_t address_of(const uint8_t *file, const char *name) {
  const uint8_t *sections = file + word(file + 32);
  for (uint32_t i = 0; i < half(file + 48); ++i) {
    const uint8_t *section = sections + i * half(file + 46);
    if (word(section + 4) != 2) /* SHT_SYMTAB */
      continue;
    const uint8_t *names = file + word(sections + word(section + 24) * half(file + 46) + 16);
    for (uint32_t at = 0; at < word(section + 20); at += 16) {
      const uint8_t *symbol = file + word(section + 16) + at;
      if (!strcmp((const char *)names + word(symbol), name))
        return word(symbol + 4);
    }
  }
  return 0;
}

int main(int count, char **arguments) {
  FILE *in = count > 1 ? fopen(arguments[1], "rb") : NULL, *counts = count > 2 ? fopen(arguments[2], "w") : NULL;
  static uint8_t file[SIZE];
  if (!in || fread(file, 1, SIZE, in) < 52 || memcmp(file, "\177ELF\1", 5))
    return fprintf(stderr, "interpret: give an ELF file of 32 bits\n"), 2;
  load_program(file);
  uint32_t begin = address_of(file, "region_begin"), end = address_of(file, "region_end");
  for (uint64_t before = 0;; step()) {
    if (pc == begin)
      before = executed;
    if (pc == end && counts && begin) {
      fprintf(counts, "%llu %llu\n", (unsigned long long)(executed - before), (unsigned long long)(executed - before));
      fflush(counts);
    }
  }
}
