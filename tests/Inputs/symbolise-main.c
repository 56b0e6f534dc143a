unsigned long in_library(unsigned long n);
__attribute__((noinline)) static unsigned long in_program(unsigned long n) {
  unsigned long x = n;
  for (unsigned long i = 0; i < n; i++)
    __asm__ volatile("" : "+r"(x));
  return x;
}
unsigned long never_called(void) { return in_program(1); }
int main(void) {
  for (int i = 0; i < 20; i++)
    if (in_program(3000000) + in_library(3000000) != 6000000)
      return 1;
  return 0;
}
