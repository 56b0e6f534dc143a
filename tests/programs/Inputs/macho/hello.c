/* What a small program needs of its linker and loader. Declares what it uses: there are no headers. */
int printf(const char *, ...);
int atexit(void (*)(void));
void qsort(void *, unsigned long, unsigned long, int (*)(const void *, const void *));
unsigned long strlen(const char *);
typedef struct thread *thread_t;
int pthread_create(thread_t *, const void *, void *(*)(void *), void *);
int pthread_join(thread_t, void **);
extern int not_in_any_macos(void) __attribute__((weak_import));

static const char *const words[] = {"of", "the", "order", "in"}; /* rebases */
static int order;
__attribute__((constructor)) static void first(int argc, char **argv) { order = argc * 10 + (argv[argc] == 0); }
__attribute__((constructor)) static void second(void) { order = order * 10 + 2; }
__attribute__((destructor)) static void destroyed(void) { printf("destroyed\n"); }
static void at_exit(void) { printf("at exit\n"); }

_Thread_local int counter = 40;
_Thread_local char zero[100];
static _Thread_local _Alignas(64) int aligned = 7;
__attribute__((section("__DATA,__custom"))) int custom = 1;
int tentative[3];
int zeroes[5000];
double (*volatile function)(double);
static double half(double v) { return v / 2; }

static int by_length(const void *a, const void *b) {
  return (int)strlen(*(const char *const *)a) - (int)strlen(*(const char *const *)b);
}

static void *thread(void *p) {
  counter += 2;
  zero[3] = 5;
  *(int *)p = counter + zero[3] + ((unsigned long)&aligned % 64 == 0 ? 1000 : 0);
  return p;
}

__attribute__((noinline)) static const char *choose(int n) {
  switch (n) { /* a jump table */
  case 0: return "zero";
  case 1: return "one";
  case 2: return "two";
  case 3: return "three";
  case 4: return "four";
  case 5: return "five";
  default: return "many";
  }
}

int main(int argc, char **argv, char **envp, char **apple) {
  const char *sorted[4];
  int from_thread = 0;
  thread_t t;
  atexit(at_exit);
  printf("arguments %d %s, constructors %d\n", argc, argv[argc - 1], order);
  for (int i = 0; i < 4; i++)
    sorted[i] = words[i];
  qsort(sorted, 3, sizeof *sorted, by_length);
  printf("%s %s %s, %d %ld %.2f %c\n", sorted[0], sorted[1], sorted[2], 1, 2L, 3.25, 'x');
  printf("many: %d %d %d %d %d %d %d %d %g\n", 1, 2, 3, 4, 5, 6, 7, 8, 9.5);
  counter++;
  pthread_create(&t, 0, thread, &from_thread);
  pthread_join(t, 0);
  printf("thread variables %d %d %d\n", counter, from_thread, zero[3]);
  printf("weak import %s\n", not_in_any_macos ? "there" : "absent");
  function = half;
  tentative[1] = custom;
  printf("data %d %d %g %s %s\n", tentative[1], zeroes[4999], function(5), choose(argc + 1), choose(9));
  printf("%s\n", envp && apple && apple[0] && apple[0][0] == 'e' ? "apple strings" : "no apple strings");
  return 42;
}
