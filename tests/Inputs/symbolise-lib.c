__attribute__((noinline)) unsigned long in_library(unsigned long n) {
  unsigned long x = n;
  for (unsigned long i = 0; i < n; i++)
    __asm__ volatile("" : "+r"(x));
  return x;
}
