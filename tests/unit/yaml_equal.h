/* yaml_equal.h: are two graphs as text the same? Places in a text are no part of a graph, and
 * neither is whether the length of the content was said in so many words. Used by
 * tests/unit/test_yaml.c and fuzz/fuzz_yaml.c. */
#ifndef WELD_TESTS_YAML_EQUAL_H
#define WELD_TESTS_YAML_EQUAL_H

#include "format/yaml_graph.h"

static inline bool yaml_equal_text(const char *a, const char *b) {
  return a && b ? streq(a, b) : a == b;
}

static inline bool yaml_equal_ref(const YamlRef *a, const YamlRef *b) {
  return yaml_equal_text(a->kind, b->kind) && a->offset == b->offset &&
         yaml_equal_text(a->target, b->target) && a->addend == b->addend && a->tag == b->tag;
}

static inline bool yaml_equal_symbol(const YamlName *a, const YamlName *b) {
  return yaml_equal_text(a->name, b->name) && a->offset == b->offset && a->size == b->size && a->scope == b->scope &&
         a->merge == b->merge && a->type == b->type && a->visibility == b->visibility && a->binding == b->binding;
}

static inline bool yaml_equal_atom(const YamlAtom *a, const YamlAtom *b) {
  if (a->nrefs != b->nrefs)
    return false;
  for (u32 i = 0; i < a->nrefs; i++)
    if (!yaml_equal_ref(&a->refs[i], &b->refs[i]))
      return false;
  if (a->nsymbols != b->nsymbols)
    return false;
  for (u32 i = 0; i < a->nsymbols; i++)
    if (!yaml_equal_symbol(&a->symbols[i], &b->symbols[i]))
      return false;
  return yaml_equal_text(a->name, b->name) && yaml_equal_text(a->ref_name, b->ref_name) &&
         a->section_type == b->section_type && a->section_flags == b->section_flags && a->entry_size == b->entry_size &&
         a->scope == b->scope && a->type == b->type && !a->content.p == !b->content.p &&
         a->content.len == b->content.len &&
         (!a->content.len || !memcmp(a->content.p, b->content.p, a->content.len)) &&
         a->size == b->size && a->interposable == b->interposable && a->merge == b->merge &&
         a->p2align == b->p2align && a->modulus == b->modulus &&
         a->section_choice == b->section_choice &&
         yaml_equal_text(a->section_name, b->section_name) && a->section_size == b->section_size &&
         a->dead_strip == b->dead_strip && a->dynamic_export == b->dynamic_export &&
         a->code_model == b->code_model && a->permissions == b->permissions &&
         a->address == b->address && a->has_address == b->has_address &&
         yaml_equal_text(a->output_section, b->output_section) &&
         a->can_be_null == b->can_be_null && yaml_equal_text(a->fallback, b->fallback) &&
         yaml_equal_text(a->load_name, b->load_name) && a->shared_type == b->shared_type &&
         a->value == b->value;
}

static inline bool yaml_equal_atoms(const YamlAtoms *a, const YamlAtoms *b) {
  bool same = a->n == b->n;
  for (u32 i = 0; same && i < a->n; i++)
    same = yaml_equal_atom(&a->at[i], &b->at[i]);
  return same;
}

static inline bool yaml_equal_file(const YamlFile *a, const YamlFile *b) {
  return yaml_equal_text(a->path, b->path) && yaml_equal_text(a->triple, b->triple) &&
         a->archive == b->archive && a->nmembers == b->nmembers &&
         yaml_equal_atoms(&a->defined, &b->defined) &&
         yaml_equal_atoms(&a->undefined, &b->undefined) &&
         yaml_equal_atoms(&a->shared, &b->shared) && yaml_equal_atoms(&a->absolute, &b->absolute);
}

static inline bool yaml_equal(const YamlStream *a, const YamlStream *b) {
  bool same = a->n == b->n;
  for (u32 i = 0; same && i < a->n; i++) {
    same = yaml_equal_file(&a->files[i], &b->files[i]);
    for (u32 k = 0; same && k < a->files[i].nmembers; k++) {
      const YamlMember *x = &a->files[i].members[k], *y = &b->files[i].members[k];
      same = yaml_equal_text(x->name, y->name) && yaml_equal_file(&x->content, &y->content);
    }
  }
  return same;
}

#endif
