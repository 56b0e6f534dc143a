int printf(const char *, ...);
void *dlopen(const char *, int);
void *dlsym(void *, const char *);
int outer_function(int), inner_function(int), inner_who(void), outer_who(void), not_exported(void);
extern int gone_function(void) __attribute__((weak_import));
extern int inner_data[], *outer_pointer;
extern _Thread_local int inner_thread;
#ifdef PROGRAM_HAS_WHO
__attribute__((weak)) int who(void) { return 3; }
#else
int who(void);
#endif
int from_program(int v) { return v + 100; }
int (*const table[])(int) = {inner_function, from_program, outer_function};
int *const third = inner_data + 3;

int main(int argc, char **argv) {
  printf("main starts\n");
  inner_thread += 1;
  printf("%d %d %d\n", table[0](1), table[1](1), table[2](1));
  printf("%d %d %d %d\n", *third, *outer_pointer, inner_thread, not_exported());
  inner_data[0] = 9;
  printf("%d\n", inner_function(1));
  printf("who %d %d %d\n", who(), inner_who(), outer_who());
  printf("gone %s\n", gone_function ? "there" : "absent");
  if (argc > 1) {
    int (*f)(int) = (int (*)(int))dlsym(dlopen(argv[1], 1), "bundle_function");
    printf("bundle %d\n", f(2));
  }
  return table[0] != inner_function;
}
