/* input_file.h: opening files and listing archives, whatever the format of the link: for inputs.c and its like. */
#ifndef WELD_INPUT_FILE_H
#define WELD_INPUT_FILE_H

#include <sys/types.h>

#include "core/link.h"
#include "read/archive.h"

typedef struct {
  Bytes data;
  dev_t dev;
  ino_t ino;
  const char *path;
  bool regular; /* a file, not a pipe or a device */
} Opened;

/* Maps a file (or reads what can't be mapped) until the link ends. 1: opened; 0: no such file; -1: reported. */
int input_open(Link *l, const char *path, Opened *out);

typedef struct {
  dev_t dev;
  ino_t ino;
  u64 off; /* of a member of a nested archive; 0: the file */
} Seen;
typedef VEC(Seen) SeenVec;
/* Whether it is in the list; adds it. */
bool input_seen(SeenVec *seen, const Opened *o, u64 off);

/* What follows the last slash. */
const char *base_name(const char *path);
/* Adds to Link.files; reports when there are too many. */
void input_add(Link *l, File f);

bool bytes_are_bitcode(Bytes d);
/* An error for a file, a warning for a member, which is left out. */
void input_bitcode(Link *l, const char *path, const char *member);

typedef struct {
  ArchiveMember m;
  u32 kind;       /* the caller's; 0 for those that are elsewhere */
  bool elsewhere; /* of a thin archive: archive_open_thin() gets it */
} Member;

/* An archive whose members are listed once all names of the command line were followed. */
typedef struct {
  Opened file;
  Input in;
  const char *arg;
  ArchiveReader reader;
  VEC(Member) members;
  const char *why; /* it is malformed at reader.at; NULL: it is not */
} ArchiveJob;

typedef u32 MemberKindFn(Bytes d);
/* Lists the members of n archives, on all threads. */
void archives_list(Link *l, ArchiveJob *jobs, u32 n, MemberKindFn *kind);
/* A thin archive's member is a file beside it, or a member of an archive that was put in whole. False after a report. */
bool archive_open_thin(Link *l, const ArchiveJob *j, Member *m, MemberKindFn *kind);
/* Reports what is malformed, if anything; gives the list back. */
void archive_end(Link *l, ArchiveJob *j);

#endif
