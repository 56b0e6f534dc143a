/* A 32-bit program for the kernel that tests/programs/kernel.sh boots: it asks the 32-bit vDSO for the time, through libc. */
#include <stdio.h>
#include <time.h>

int main(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) || (now.tv_sec == 0 && now.tv_nsec == 0))
    return 1;
  printf("weld-test: a program of %d bits\n", (int)sizeof(void *) * 8);
  return 0;
}
