/* machine.h: what the bare-metal tests know of a PC: COM1, and QEMU's isa-debug-exit at port 0xf4, which ends QEMU with
 * the status value * 2 + 1. Nothing here needs a library, and everything is inline: a file that includes it has no
 * symbols of it. */
#ifndef MACHINE_H
#define MACHINE_H

static inline void out8(unsigned short port, unsigned char value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline unsigned char in8(unsigned short port) {
  unsigned char value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void serial_open(void) {
  out8(0x3f8 + 1, 0);    /* no interrupts */
  out8(0x3f8 + 3, 0x80); /* the divisor: 115200 baud */
  out8(0x3f8, 1);
  out8(0x3f8 + 1, 0);
  out8(0x3f8 + 3, 3); /* 8 bits, no parity */
}

static inline void put(const char *text) {
  for (; *text; text++) {
    while (!(in8(0x3f8 + 5) & 0x20))
      ;
    out8(0x3f8, (unsigned char)*text);
  }
}

static inline void put_hex(unsigned long value) {
  char text[2 * sizeof value + 1];
  char *p = text + sizeof text - 1;
  *p = 0;
  do
    *--p = "0123456789abcdef"[value & 15];
  while (value >>= 4);
  put(p);
}

static inline _Noreturn void finish(unsigned char status) {
  out8(0xf4, status);
  for (;;)
    __asm__ volatile("cli; hlt");
}

#endif
