/* shims_threads.c: pthreads. A macOS object begins with a word that says what it is (also in the static
 * initialisers); the next word points to the host's object, which is made when it is first used.
 * The trap: two threads may use a statically initialised mutex first; one lock guards the making of all. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "shims.h"

typedef struct {
  u64 signature;
  void *host;
} MacObject;

enum { MUTEX_RECURSIVE_INIT = 0x32AAABA2, MUTEX_ERRORCHECK_INIT = 0x32AAABA1 };
static pthread_mutex_t make_lock = PTHREAD_MUTEX_INITIALIZER;

/* NULL: not made. */
static void *host_object(MacObject *o) { return __atomic_load_n(&o->host, __ATOMIC_ACQUIRE); }

static void host_object_set(MacObject *o, u64 signature, void *host) {
  o->signature = signature;
  __atomic_store_n(&o->host, host, __ATOMIC_RELEASE);
}

static int mutex_make(MacObject *m, int kind) {
  pthread_mutexattr_t attributes;
  pthread_mutex_t *host = get_memory(1, sizeof *host);
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, kind);
  pthread_mutex_init(host, &attributes);
  host_object_set(m, 0x4d555458, host);
  return 0;
}

static pthread_mutex_t *mutex_of(MacObject *m) {
  void *host = host_object(m);
  if (host)
    return host;
  pthread_mutex_lock(&make_lock);
  if (!host_object(m))
    mutex_make(m, m->signature == MUTEX_RECURSIVE_INIT    ? PTHREAD_MUTEX_RECURSIVE
                  : m->signature == MUTEX_ERRORCHECK_INIT ? PTHREAD_MUTEX_ERRORCHECK
                                                          : PTHREAD_MUTEX_NORMAL);
  pthread_mutex_unlock(&make_lock);
  return m->host;
}

/* Kinds: 0 normal, 1 error check, 2 recursive. The attribute object keeps it in its second word. */
static int mac_mutexattr_init(MacObject *a) {
  *a = (MacObject){.signature = 0x4d545841};
  return 0;
}
static int mac_mutexattr_settype(MacObject *a, int type) {
  a->host = (void *)(intptr_t)type;
  return type < 0 || type > 2 ? errno_to_mac(EINVAL) : 0;
}
static int mac_mutexattr_destroy(MacObject *a) {
  a->signature = 0;
  return 0;
}
static int mac_mutex_init(MacObject *m, const MacObject *attributes) {
  static const int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE};
  return mutex_make(m, kinds[attributes ? (intptr_t)attributes->host : 0]);
}
static int mac_mutex_lock(MacObject *m) { return errno_to_mac(pthread_mutex_lock(mutex_of(m))); }
static int mac_mutex_trylock(MacObject *m) { return errno_to_mac(pthread_mutex_trylock(mutex_of(m))); }
static int mac_mutex_unlock(MacObject *m) { return errno_to_mac(pthread_mutex_unlock(mutex_of(m))); }
static int object_destroy(MacObject *o) {
  free(o->host);
  *o = (MacObject){0};
  return 0;
}

/* A zeroed condition or read-write lock is a fresh one for the host. */
static void *plain_of(MacObject *o, u64 size) {
  void *host = host_object(o);
  if (host)
    return host;
  pthread_mutex_lock(&make_lock);
  if (!host_object(o))
    host_object_set(o, o->signature, get_memory(1, size));
  pthread_mutex_unlock(&make_lock);
  return o->host;
}
static int plain_init(MacObject *o, const void *attributes) {
  (void)attributes;
  *o = (MacObject){.signature = 1};
  return 0;
}
static pthread_cond_t *cond_of(MacObject *c) { return plain_of(c, sizeof(pthread_cond_t)); }
static int mac_cond_signal(MacObject *c) { return pthread_cond_signal(cond_of(c)); }
static int mac_cond_broadcast(MacObject *c) { return pthread_cond_broadcast(cond_of(c)); }
static int mac_cond_wait(MacObject *c, MacObject *m) { return pthread_cond_wait(cond_of(c), mutex_of(m)); }
static int mac_cond_timedwait(MacObject *c, MacObject *m, const struct timespec *t) {
  return errno_to_mac(pthread_cond_timedwait(cond_of(c), mutex_of(m), t));
}
static pthread_rwlock_t *rwlock_of(MacObject *l) { return plain_of(l, sizeof(pthread_rwlock_t)); }
static int mac_rwlock_rdlock(MacObject *l) { return errno_to_mac(pthread_rwlock_rdlock(rwlock_of(l))); }
static int mac_rwlock_wrlock(MacObject *l) { return errno_to_mac(pthread_rwlock_wrlock(rwlock_of(l))); }
static int mac_rwlock_unlock(MacObject *l) { return errno_to_mac(pthread_rwlock_unlock(rwlock_of(l))); }

/* The host's once word fits into the second word of macOS's. */
static int mac_once(MacObject *o, void (*f)(void)) { return pthread_once((pthread_once_t *)&o->host, f); }

/* Keys are 8 bytes on macOS. */
static int mac_key_create(u64 *out, void (*destroy)(void *)) {
  pthread_key_t key;
  int r = pthread_key_create(&key, destroy);
  *out = key;
  return errno_to_mac(r);
}
static int mac_key_delete(u64 key) { return errno_to_mac(pthread_key_delete((pthread_key_t)key)); }
static void *mac_getspecific(u64 key) { return pthread_getspecific((pthread_key_t)key); }
static int mac_setspecific(u64 key, const void *v) {
  return errno_to_mac(pthread_setspecific((pthread_key_t)key, v));
}

static pthread_attr_t *attr_of(MacObject *a) { return a ? host_object(a) : NULL; }
static int mac_attr_init(MacObject *a) {
  host_object_set(a, 0x54484441, get_memory(1, sizeof(pthread_attr_t)));
  return pthread_attr_init(attr_of(a));
}
static int mac_attr_setstacksize(MacObject *a, size_t size) {
  return errno_to_mac(pthread_attr_setstacksize(attr_of(a), size));
}
static int mac_attr_setdetachstate(MacObject *a, int state) { /* 1 joinable, 2 detached */
  return pthread_attr_setdetachstate(attr_of(a), state == 2 ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
}
static int mac_create(pthread_t *t, MacObject *a, void *(*f)(void *), void *argument) {
  return errno_to_mac(pthread_create(t, attr_of(a), f, argument));
}
static u32 mac_thread_number(pthread_t t) { return (u32)(u64)t >> 4 | 1; }

const Shim shims_threads[] = {
    {"_pthread_mutexattr_init", (void *)mac_mutexattr_init},
    {"_pthread_mutexattr_settype", (void *)mac_mutexattr_settype},
    {"_pthread_mutexattr_destroy", (void *)mac_mutexattr_destroy},
    {"_pthread_mutex_init", (void *)mac_mutex_init},
    {"_pthread_mutex_lock", (void *)mac_mutex_lock},
    {"_pthread_mutex_trylock", (void *)mac_mutex_trylock},
    {"_pthread_mutex_unlock", (void *)mac_mutex_unlock},
    {"_pthread_mutex_destroy", (void *)object_destroy},
    {"_pthread_cond_init", (void *)plain_init},
    {"_pthread_cond_signal", (void *)mac_cond_signal},
    {"_pthread_cond_broadcast", (void *)mac_cond_broadcast},
    {"_pthread_cond_wait", (void *)mac_cond_wait},
    {"_pthread_cond_timedwait", (void *)mac_cond_timedwait},
    {"_pthread_cond_destroy", (void *)object_destroy},
    {"_pthread_rwlock_init", (void *)plain_init},
    {"_pthread_rwlock_rdlock", (void *)mac_rwlock_rdlock},
    {"_pthread_rwlock_wrlock", (void *)mac_rwlock_wrlock},
    {"_pthread_rwlock_unlock", (void *)mac_rwlock_unlock},
    {"_pthread_rwlock_destroy", (void *)object_destroy},
    {"_pthread_once", (void *)mac_once},
    {"_pthread_key_create", (void *)mac_key_create},
    {"_pthread_key_delete", (void *)mac_key_delete},
    {"_pthread_getspecific", (void *)mac_getspecific},
    {"_pthread_setspecific", (void *)mac_setspecific},
    {"_pthread_attr_init", (void *)mac_attr_init},
    {"_pthread_attr_destroy", (void *)object_destroy},
    {"_pthread_attr_setstacksize", (void *)mac_attr_setstacksize},
    {"_pthread_attr_setdetachstate", (void *)mac_attr_setdetachstate},
    {"_pthread_create", (void *)mac_create},
    {"_pthread_mach_thread_np", (void *)mac_thread_number},
    SAME(pthread_self), SAME(pthread_join), SAME(pthread_detach), SAME(pthread_equal), SAME(pthread_exit),
    {0},
};
