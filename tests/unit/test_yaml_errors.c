/* Unit tests of the text form of the graph: every mistake is refused with its line and column, and
 * whatever comes, nothing worse than a message happens. */
#include "yaml_case.h"

/* ---- mistakes ---- */

static void unknown_things(void **state) {
  (void)state;
  refused(
      "---\nfoo: 1\nbar: [ [ a ] ]\ndefined-atoms:\n  - name: main\n    scope: bogus\n    color: "
      "red\n",
      "2:1: unknown key 'foo'\n3:1: unknown key 'bar'\n6:12: unknown enumerated scalar: 'bogus'\n"
      "7:5: unknown key 'color'");
  refused("defined-atoms:\n- content: [ 00, 100, 0x, G0, -1, 5 ]\n",
          "2:18: out of range two-digit-hex number: '100'\n2:23: out of range two-digit-hex "
          "number: '0x'\n"
          "2:27: out of range two-digit-hex number: 'G0'\n2:31: out of range two-digit-hex number: "
          "'-1'\n"
          "2:35: out of range two-digit-hex number: '5'");
  refused("defined-atoms:\n- name: a\n  references:\n  - kind: k\n    target: baz\n",
          "5:13: no such atom name: baz");
  refused(
      "--- !elf\ndefined-atoms: []\n--- !archive\nmembers:\n- { name: a, content: !mach-o {} }\n"
      "--- !archive\nmembers: [ { name: a, content: !archive { path: x } } ]\n",
      "1:5: tag '!elf' is not supported here\n5:23: tag '!mach-o' is not supported here\n"
      "7:32: tag '!archive' is not supported here");
  refused("defined-atoms:\n- name: !!int 3\n- !x { scope: !y hidden }\n- content: !z [ !w 00 ]\n",
          "2:9: tag 'tag:yaml.org,2002:int' is not supported here\n3:3: tag '!x' is not supported "
          "here\n"
          "3:15: tag '!y' is not supported here\n4:12: tag '!z' is not supported here\n"
          "4:17: tag '!w' is not supported here");
  refused("größe: 1\n'a\\nb': 1\n\"a\\nb\": 1\n",
          "1:1: unknown key 'größe'\n2:1: unknown key 'a\\nb'\n3:1: unknown key 'a?b'");
  refused("defined-atoms: [ { permissions: '' } ]", "1:33: unknown enumerated scalar: ''");
}

static void misplaced_things(void **state) {
  (void)state;
  refused(
      "undefined-atoms:\n- { name: a, scope: global, value: 1 }\n"
      "shared-library-atoms:\n- { name: b, merge: no, type: stub }\n"
      "absolute-atoms:\n- { name: c, type: data, content: [ 00 ] }\n"
      "defined-atoms:\n- { load-name: x, can-be-null: never, fallback: y, value: 1 }\n",
      "2:14: an undefined atom can't have 'scope'\n2:29: an undefined atom can't have 'value'\n"
      "4:14: a shared-library atom can't have 'merge'\n4:31: unknown enumerated scalar: 'stub'\n"
      "6:14: an absolute atom can't have 'type'\n6:26: an absolute atom can't have 'content'\n"
      "8:5: a defined atom can't have 'load-name'\n8:19: a defined atom can't have 'can-be-null'\n"
      "8:39: a defined atom can't have 'fallback'\n8:52: a defined atom can't have 'value'");
  refused("members: []\n--- !archive\ndefined-atoms: []\ntarget-triple: x\n",
          "1:1: an object file can't have 'members'\n3:1: an archive can't have 'defined-atoms'\n"
          "4:1: an archive can't have 'target-triple'");
}

static void missing_and_repeated_things(void **state) {
  (void)state;
  refused("undefined-atoms:\n- {}\nshared-library-atoms:\n- { size: 4 }\nabsolute-atoms:\n- { "
          "value: 4 }\n",
          "2:3: missing key 'name' of an undefined atom\n"
          "4:3: missing key 'name' of a shared-library atom\n"
          "6:3: missing key 'name' of an absolute atom");
  refused("defined-atoms:\n- references:\n  - offset: 1\n  - { kind: }\n",
          "3:5: missing key 'kind' of a reference\n4:13: 'kind' has no value");
  refused("--- !archive\nmembers:\n- { name: x }\n- content: !native\n",
          "3:3: missing key 'content' of a member\n4:3: missing key 'name' of a member");
  refused("path: a\npath: b\ndefined-atoms:\n- { name: a, name: b }\n- references:\n  - { kind: k, "
          "kind: l }\n"
          "- references: []\n  references: []\ndefined-atoms: []\n",
          "2:1: duplicate key 'path'\n4:14: duplicate key 'name'\n6:16: duplicate key 'kind'\n"
          "8:3: duplicate key 'references'\n9:1: duplicate key 'defined-atoms'");
  refused("defined-atoms:\n- ref-name: L1\n- name: L1\n- ref-name: L1\n",
          "4:3: duplicate ref-name 'L1'");
}

static void wrong_kinds_of_nodes(void **state) {
  (void)state;
  refused("- a\n", "1:1: an object file must be a mapping");
  refused("text\n", "1:1: an object file must be a mapping");
  refused("--- !archive [ ]\n", "1:5: an archive must be a mapping");
  refused("path: [ a ]\ndefined-atoms: { a: b }\nundefined-atoms: x\nshared-library-atoms: [ x, [ "
          "y ] ]\n"
          "[ a ]: b\n",
          "1:7: 'path' must be a single value\n2:16: 'defined-atoms' must be a list\n"
          "3:18: 'undefined-atoms' must be a list\n4:25: an atom must be a mapping\n"
          "4:28: an atom must be a mapping\n5:1: a key must be a word");
  refused("defined-atoms:\n- references: { a: b }\n- references: [ a ]\n- content: 00\n- content: "
          "[ [ 00 ], {} ]\n"
          "- content:\n- name:\n- size:\n- type: [ ]\n",
          "2:15: 'references' must be a list\n3:17: a reference must be a mapping\n"
          "4:12: 'content' must be a list\n5:14: 'content' must be a single value\n"
          "5:22: 'content' must be a single value\n6:11: 'content' must be a list\n"
          "7:8: 'name' has no value\n8:8: 'size' has no value\n9:9: 'type' must be a single value");
  refused("--- !archive\nmembers: { }\n--- !archive\nmembers: [ a ]\n--- !archive\n"
          "members: [ { name: a, content: [ ] } ]\n",
          "2:10: 'members' must be a list\n4:12: a member must be a mapping\n"
          "6:32: an object file must be a mapping");
  /* What has a default may also be said to be nothing. */
  case_free(read_good("defined-atoms:\nundefined-atoms: []\nabsolute-atoms:\n"));
  case_free(read_good("--- !archive\nmembers:\n"));
  case_free(read_good("defined-atoms: [ { references: } ]"));
}

static void numbers(void **state) {
  (void)state;
  refused(
      "defined-atoms:\n- size: 18446744073709551616\n- size: -1\n- size: 0x\n- size: 1x\n- size: 1 "
      "2\n"
      "- section-size: 0x10000000000000000\n- address: 99999999999999999999999999999999999999\n"
      "- references:\n  - { kind: k, offset: -1, addend: 9223372036854775808, tag: 4294967296 }\n"
      "  - { kind: k, addend: -9223372036854775809 }\n  - { kind: k, addend: --1 }\n"
      "  - { kind: k, tag: -1 }\n",
      "2:9: 'size' is out of range: '18446744073709551616'\n3:9: 'size' is not a number: '-1'\n"
      "4:9: 'size' is not a number: '0x'\n5:9: 'size' is not a number: '1x'\n"
      "6:9: 'size' is not a number: '1 2'\n"
      "7:17: 'section-size' is out of range: '0x10000000000000000'\n"
      "8:12: 'address' is out of range: '99999999999999999999999999999999999999'\n"
      "10:24: 'offset' is not a number: '-1'\n"
      "10:36: 'addend' is out of range: '9223372036854775808'\n"
      "10:62: 'tag' is out of range: '4294967296'\n"
      "11:24: 'addend' is out of range: '-9223372036854775809'\n"
      "12:24: 'addend' is not a number: '--1'\n"
      "13:21: 'tag' is not a number: '-1'");
  refused(
      "defined-atoms:\n- alignment: 3\n- alignment: 0\n- alignment: 18446744073709551616\n- "
      "alignment: x\n"
      "- alignment: 16 mod 16\n- alignment: 7 mod 12\n- alignment: 7 mod\n- alignment: 1 mod 2 mod "
      "4\n"
      "- alignment: 99999999999999999999 mod 16\n",
      "2:14: 'alignment' is not a power of two: '3'\n3:14: 'alignment' is not a power of two: '0'\n"
      "4:14: 'alignment' is not a power of two: '18446744073709551616'\n"
      "5:14: 'alignment' is neither a number nor like '7 mod 16': 'x'\n"
      "6:14: 'alignment' is out of range: '16 mod 16'\n"
      "7:14: 'alignment' is not a power of two: '7 mod 12'\n"
      "8:14: 'alignment' is neither a number nor like '7 mod 16': '7 mod'\n"
      "9:14: 'alignment' is neither a number nor like '7 mod 16': '1 mod 2 mod 4'\n"
      "10:14: 'alignment' is out of range: '99999999999999999999 mod 16'");
  refused(
      "defined-atoms:\n- { content: [ 00, 01 ], size: 3 }\n- { size: 0, content: [ 00 ] }\n"
      "- { size: 1, content: [ ] }\n",
      "2:26: size 3 contradicts 2 bytes of content\n3:5: size 0 contradicts 1 bytes of content\n"
      "4:5: size 1 contradicts 0 bytes of content");
  Case *c = read_good("defined-atoms: [ { size: 0x1F, alignment: 0x10, address: 010 },\n"
                      "  { content: [ 00 ], size: 1, alignment: 0 mod 1 } ]\n");
  const YamlAtom *a = c->s.files[0].defined.at;
  assert_int_equal(a[0].size, 31);
  assert_int_equal(a[0].p2align, 4);
  assert_int_equal(a[0].address, 10);
  assert_true(a[1].has_size);
  assert_int_equal(a[1].size, 1);
  case_free(c);
}

/* ---- hostile texts ---- */

static void hostile(void **state) {
  (void)state;
  refused("a: &x [ 1 ]\nb: *x\n",
          "1:1: unknown key 'a'\n1:4: anchors are not supported\n2:1: unknown key 'b'\n"
          "2:4: aliases are not supported");
  refused("defined-atoms:\n- &a { name: x }\n- *a\n- name: *a\n- *a : 1\n",
          "2:3: anchors are not supported\n3:3: aliases are not supported\n4:9: aliases are not "
          "supported\n"
          "5:3: aliases are not supported");
  refused("%TAG ! tag:x,2000:\n--- !a\n", "1:1: directives are not supported");
  refused("path: a\n...\n%FOO\n", "3:1: directives are not supported");
  refused(
      "defined-atoms:\n- name: \"a\\0b\"\n- name: !bytes \"a\\0b\"\n- name: !bytes \"\\u0100\"\n",
      "2:9: NUL in the text of 'name'\n3:9: NUL in the text of 'name'\n"
      "4:9: a character past \\xFF in !bytes");
  refused(
      "a: [ b\n",
      "1:1: unknown key 'a'\n2:1: did not find expected ',' or ']' while parsing a flow sequence");
  refused("path: 'a\n", "2:1: found unexpected end of stream while scanning a quoted scalar");
  refused("path: a\n\tb: c\n",
          "2:1: found a tab character that violates indentation while scanning a plain scalar");
  refused("path: \"\xc3\xa9\"\nx: \xff\n", "2:4: invalid leading UTF-8 octet (0xff)");
  Case *c = read_bytes((Bytes){(const u8 *)"path: a\0b\n", 10});
  assert_string_equal(c->text, "t:1:8: control characters are not allowed (0x00)\n");
  case_free(c);
  c = read_bytes((Bytes){NULL, 0});
  assert_true(c->good);
  assert_int_equal(c->s.n, 0);
  case_free(c);
  c = read_good("\xef\xbb\xbfpath: a\n"); /* a byte order mark */
  assert_string_equal(c->s.files[0].path, "a");
  case_free(c);

  /* Nesting costs nothing. */
  enum { DEEP = 1 << 20 };
  static char deep[DEEP + 1];
  static const char *const opens[] = {"[", "{", "{a: ", "- ", "? "};
  for (u32 i = 0; i < COUNT_OF(opens); i++) {
    size_t step = strlen(opens[i]);
    for (size_t at = 0; at + step <= DEEP; at += step)
      memcpy(deep + at, opens[i], step);
    c = read_bytes((Bytes){(const u8 *)deep, DEEP});
    assert_non_null(strstr(c->text, "nested too deeply"));
    case_free(c);
  }
}

/* Whatever is cut off or damaged, it is read or refused with a report. */
static void damaged(void **state) {
  (void)state;
  static const char text[] =
      "---\npath: a.o\ndefined-atoms:\n  - name: 'a b'\n    content: [ 00, FF ]\n"
      "    alignment: 7 mod 16\n    references:\n      - kind: k\n        target: x\n"
      "--- !archive\nmembers:\n  - name: \"\\x41\"\n    content: !native { }\n...\n";
  size_t len = sizeof text - 1;
  static const char bytes[] = "\0\xff[]{}:-'\"&*!%#\n\t 9~";
  for (size_t cut = 0; cut <= len; cut++)
    case_free(read_bytes((Bytes){(const u8 *)text, cut}));
  for (size_t at = 0; at < len; at++)
    for (size_t k = 0; k < sizeof bytes - 1; k++) {
      char copy[sizeof text];
      memcpy(copy, text, sizeof text);
      copy[at] = bytes[k];
      case_free(read_bytes((Bytes){(const u8 *)copy, len}));
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unknown_things),
      cmocka_unit_test(misplaced_things),
      cmocka_unit_test(missing_and_repeated_things),
      cmocka_unit_test(wrong_kinds_of_nodes),
      cmocka_unit_test(numbers),
      cmocka_unit_test(hostile),
      cmocka_unit_test(damaged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
