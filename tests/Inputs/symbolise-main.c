unsigned long in_library(unsigned long n);
__attribute__((noinline)) static unsigned long in_program(unsigned long n) {
  unsigned long x = n;
  for (unsigned long i = 0; i < n; i++)
    __asm__ volatile("" : "+r"(x));
  return x;
}
unsigned long never_called(void) { return in_program(1); }
int main(void) {
  for (unsigned long i = 0; i < 40; i++) /* not the same each time: samples are taken at regular times */
    if (in_program(2000000 + i * 70000) + in_library(2000000 + i * 130000) != 4000000 + i * 200000)
      return 1;
  return 0;
}
