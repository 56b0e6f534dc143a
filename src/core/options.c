/* options.c: the defaults of Options, and its end. The trap: options_free() must know every VEC in the
 * structure; strings and expressions go with the arena. */
#include "core/options.h"

#include <stdlib.h>

void options_init(Options *o) {
  memset(o, 0, sizeof *o);
  o->output = "a.out";
  o->init = "_init";
  o->fini = "_fini";
  o->demangle = true;
  o->hash_sysv = o->hash_gnu = true;
  o->eh_frame_hdr = true;
  o->warn_execstack = true;
  o->warn_symbol_ordering = true;
  o->rosegment = true;
  o->check_sections = true;
  o->new_dtags = true;
  o->merge_sections = true;
  o->relax = true;
  o->z_relro = true;
  o->start_stop_visibility = 3; /* STV_PROTECTED */
  o->optimize = 1;
  o->error_limit = 20;
  o->darwin.headerpad = 32;
}

static void patterns_free(VersionPatterns *p) { vec_free(p); }

void options_free(Options *o) {
  StrVec *const lists[] = {
      &o->lib_dirs,       &o->rpath,           &o->unique,        &o->filter,
      &o->auxiliary,      &o->audit,           &o->depaudit,      &o->undefined,
      &o->undefined_glob, &o->require_defined, &o->wrap,          &o->trace_symbols,
      &o->exclude_libs,   &o->retain_symbols,  &o->keep_unique,   &o->passes,
      &o->dump_graph,     &o->why_live,        &o->symbol_ordering,
      &o->darwin.framework_dirs, &o->darwin.roots, &o->darwin.ignored_auto_links, &o->darwin.allowable_clients,
      &o->darwin.sub_libraries,  &o->darwin.sub_umbrellas, &o->darwin.exported, &o->darwin.unexported,
      &o->darwin.dynamic_lookup, &o->darwin.local_patterns, &o->darwin.dyld_env,
  };
  for (u32 i = 0; i < COUNT_OF(lists); i++)
    vec_free(lists[i]);
  vec_free(&o->inputs);
  vec_free(&o->call_graph);
  vec_free(&o->defsyms);
  vec_free(&o->go.strings);
  vec_free(&o->darwin.aliases);
  vec_free(&o->darwin.file_sections);
  vec_free(&o->darwin.renames);
  vec_free(&o->darwin.section_aligns);
  vec_free(&o->darwin.protections);
  vec_free(&o->section_starts);
  vec_free(&o->section_aligns);
  for (u32 i = 0; i < o->version_script.nodes.n; i++) {
    VersionNode *node = &o->version_script.nodes.at[i];
    vec_free(&node->parents);
    patterns_free(&node->global);
    patterns_free(&node->local);
  }
  vec_free(&o->version_script.nodes);
  patterns_free(&o->dynamic_list);
  patterns_free(&o->export_dynamic_symbols);
  arena_free(&o->arena);
  memset(o, 0, sizeof *o);
}
