"""mutate_tbd.py: the text stubs of mutate: libraries in all versions of .tbd files, and links that read them.

The trap: the program must use what a stub says in its last line, or the reader might stop early and nobody would see it.
"""
import os
import subprocess

from mutation import damage_text

MAIN_C = """
int a(void), b(void), c(void), d(void), e(void), weak(void), moved(void), hidden(void), sub(void), deep(void); extern int data; extern _Thread_local int local;
@interface NSObject @end @interface Sub : NSObject @end @implementation Sub @end
int main(void) { return a() + b() + c() + d() + e() + weak() + moved() + hidden() + sub() + deep() + data + local; }
"""
NAMES = "_a, _b, _c, _d, _e, '$ld$add$os11.0$_added', '$ld$hide$os10.5$_gone'"
SYSTEM = """--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ dyld_stub_binder, _printf, __tlv_bootstrap, __objc_empty_cache ]
    objc-classes: [ NSObject ]
...
"""
FILES = {
    "libSystem.tbd": SYSTEM,
    "libold.tbd": """---
archs: [ x86_64, arm64, armv7 ]
platform: macosx
install-name: /usr/lib/libold.dylib
current-version: 1.2.3
compatibility-version: 1
swift-version: 5
objc-constraint: none
exports:
  - archs: [ x86_64, arm64 ]
    allowed-clients: [ out ]
    re-exports: [ /libv4.dylib ]
    symbols: [ _a, _b, _c, _d, _e, _sub, _deep, _hidden ]
    weak-def-symbols: [ _weak ]
    thread-local-symbols: [ _local ]
    objc-classes: [ _Old ]
    objc-ivars: [ _Old.i ]
undefineds:
  - archs: [ x86_64 ]
    symbols: [ _u ]
...
""",
    "libv2.tbd": """--- !tapi-tbd-v2
archs:           [ x86_64, arm64 ]
uuids:           [ 'x86_64: 00000000-0000-0000-0000-000000000000', 'arm64: 11111111-1111-1111-1111-111111111111' ]
platform:        macosx
flags:           [ flat_namespace, not_app_extension_safe ]
install-name:    '/usr/lib/libv2.dylib'
parent-umbrella: System
exports:
  - archs:           [ x86_64, arm64 ]
    symbols:         [ _a, _b, _c, _d, _e, _moved, _hidden, _sub, _deep, _data ]
    weak-def-symbols: [ _weak ]
    thread-local-symbols: [ _local ]
    objc-eh-types: [ _Eh ]
...
""",
    "libv3.tbd": """--- !tapi-tbd-v3
archs:           [ x86_64, arm64 ]
uuids:           [ 'x86_64: 00000000-0000-0000-0000-000000000000' ]
platform:        zippered
flags:           [ not_app_extension_safe ]
install-name:    /usr/lib/libv3.dylib
current-version: 7.8
compatibility-version: 2
exports:
  - archs: [ x86_64, arm64 ]
    allowable-clients: [ out ]
    re-exports: [ /usr/lib/libinner.dylib, '@loader_path/libv4.dylib' ]
    symbols: [ _a, _b, _c, _d, _e,
               '_moved', "_hidden" ]
    weak-def-symbols: [ _weak ]
    thread-local-symbols: [ _local ]
    objc-classes: [ Three ]
    objc-ivars: [ Three.i ]
undefineds:
  - archs: [ x86_64, arm64 ]
    symbols: [ _u ]
--- !tapi-tbd-v3
archs:           [ x86_64, arm64 ]
platform:        macosx
install-name:    /usr/lib/libinner.dylib
exports:
  - archs: [ x86_64, arm64 ]
    symbols: [ _sub, _deep, _data ]
...
""",
    "libv4.tbd": """--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos, arm64-ios, x86_64-maccatalyst, 'x86_64-<7>' ]
uuids:
  - target:      x86_64-macos
    value:       00000000-0000-0000-0000-000000000000
flags:           [ not_app_extension_safe ]
install-name:    '@rpath/libv4.dylib'
current-version: 65535.100.300.7
compatibility-version: 1.2
swift-abi-version: 5
parent-umbrella:
  - targets: [ x86_64-macos, arm64-macos ]
    umbrella: System
allowable-clients:
  - targets: [ x86_64-macos ]
    clients: [ out, B ]
reexported-libraries:
  - targets: [ x86_64-macos, arm64-macos ]
    libraries: [ /usr/lib/libsub.dylib,
                 /libloop.dylib, '@loader_path/libsym.dylib' ]
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ _a, _b, _c, _d, _e, _moved, "_quoted", '_it''s' ]
    weak-symbols: [ _weak ]
    thread-local-symbols: [ _local ]
    objc-classes: [ C ]
    objc-eh-types: [ C ]
    objc-ivars: [ C._i ]
  - targets: [ arm64-ios ]
    symbols: [ _ios ]
reexports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ _data ]
undefineds:
  - targets: [ x86_64-macos ]
    symbols: [ _u ]
--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos ]
install-name:    '/usr/lib/libsub.dylib'
rpaths:
  - targets: [ x86_64-macos ]
    paths: [ '@executable_path/.' ]
reexported-libraries:
  - targets: [ x86_64-macos, arm64-macos ]
    libraries: [ '/libv4.dylib', /usr/lib/libsub.dylib ]
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ _sub, _deep, _hidden ]
...
""",
    "libv5.tbd": """{
  "tapi_tbd_version": 5,
  "main_library": {
    "target_info": [ { "target": "x86_64-macos", "min_deployment": "10.15" }, { "target": "arm64-macos", "min_deployment": "11.0" } ],
    "install_names": [ { "name": "/usr/lib/libv5.dylib" } ],
    "current_versions": [ { "version": "1.2" } ], "compatibility_versions": [ { "targets": [ "x86_64-macos" ], "version": "1.1" } ],
    "flags": [ { "attributes": [ "not_app_extension_safe" ] } ], "swift_abi": [ { "abi": 5 } ],
    "rpaths": [ { "targets": [ "x86_64-macos" ], "paths": [ "@loader_path/." ] } ],
    "allowable_clients": [ { "clients": [ "out" ] } ], "parent_umbrellas": [ { "umbrella": "System" } ],
    "reexported_libraries": [ { "targets": [ "x86_64-macos", "arm64-macos" ], "names": [ "/usr/lib/libsub5.dylib", "/libv4\\u002edylib" ] } ],
    "exported_symbols": [
      { "data": { "global": [ "_data" ], "weak": [ "_weak" ], "thread_local": [ "_local" ], "objc_class": [ "C" ], "objc_eh_type": [ "C" ], "objc_ivar": [ "C.i" ] },
        "text": { "global": [ "_a", "_b", "_c" ] } },
      { "targets": [ "x86_64-macos", "arm64-macos" ], "text": { "global": [ "_d", "_e", "_moved", "_\\u00e9" ] } } ],
    "reexported_symbols": [ { "text": { "global": [ "_hidden" ] } } ], "undefined_symbols": [ { "text": { "global": [ "_u" ] } } ] },
  "libraries": [
    { "target_info": [ { "target": "x86_64-macos" }, { "target": "arm64-macos" } ], "install_names": [ { "name": "/usr/lib/libsub5.dylib" } ],
      "exported_symbols": [ { "text": { "global": [ "_sub", "_deep" ] } } ] } ]
}
""",
    "libsym.tbd": """--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: /usr/lib/libsym.dylib
current-version: 3.4
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ _a, _b, _c, '$ld$hide$os11.0$_a', '$ld$hide$os10.9$_hidden', '$ld$add$os11.0$_d', '$ld$weak$os11.0$_b', '$ld$install_name$os10.4$/usr/lib/other.dylib',
               '$ld$install_name$os11.0$/usr/lib/eleven.dylib', '$ld$compatibility_version$os11.0$1.2.3', _e,
               '$ld$previous$/usr/lib/older.dylib$1.5$1$10.0$12.0$_moved$', '$ld$previous$/usr/lib/whole.dylib$$1$9.0$10.0$$', _moved, _hidden, _sub, _deep, _data ]
    weak-symbols: [ _weak ]
    thread-local-symbols: [ _local ]
...
""",
    "libumbrella.tbd": """--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: /umbrella.dylib
reexported-libraries:
  - targets: [ x86_64-macos, arm64-macos ]
    libraries: [ /libv4.dylib, /libv5.dylib, /libv3.dylib, /libsym.dylib, /libloop.dylib ]
...
""",
    "libloop.tbd": """--- !tapi-tbd-v3
archs: [ x86_64, arm64 ]
platform: macosx
install-name: /libloop.dylib
exports:
  - archs: [ x86_64, arm64 ]
    re-exports: [ /libumbrella.dylib, /libloop.dylib ]
    symbols: [ _looped ]
...
""",
}


def make_seeds(d, _):
    """Small links as (name, command line, names of the files that may be damaged)."""
    for name, text in {"main.m.c": MAIN_C, **FILES}.items():
        with open(os.path.join(d, name), "w") as f:
            f.write(text)
    links = []
    for cpu in ("x86_64", "arm64"):
        subprocess.run(["clang-14", "-x", "objective-c", "-Wno-objc-root-class", "-target", f"{cpu}-apple-macos11", "-c", "main.m.c", "-o", f"main-{cpu}.o"], cwd=d, check=True)
        base = ["-flavor", "darwin", "-arch", cpu, "-platform_version", "macos", "11.0", "11.0", "-client_name", "out", "-syslibroot", ".", f"main-{cpu}.o", "libSystem.tbd"]
        look = ["-undefined", "dynamic_lookup"]
        links += [(f"{name}-{cpu}", [*base, *argv], victims) for name, argv, victims in [
            ("system", look, ["libSystem.tbd"]),
            ("old", ["libold.tbd", *look, "-dead_strip_dylibs"], ["libold.tbd"]),
            ("v2", ["-weak_library", "libv2.tbd", *look], ["libv2.tbd"]),
            ("v3", ["libv3.tbd", "-rpath", ".", "-fixup_chains", *look], ["libv3.tbd"]),
            ("v4", ["-L.", "-lv4", *look], ["libv4.tbd"]),
            ("v4-flat", ["libv4.tbd", "-flat_namespace", "-undefined", "suppress"], ["libv4.tbd"]),
            ("v5", ["libv5.tbd", "-rpath", ".", *look], ["libv5.tbd"]),
            ("v5-strict", ["-needed-lv5", "-L.", "-rpath", "."], ["libv5.tbd"]),
            ("symbols", ["-reexport_library", "libsym.tbd", "-dylib", "-install_name", "/out", *look], ["libsym.tbd"]),
            ("symbols-strict", ["libsym.tbd", "-no_fixup_chains", "-map", "map", "-t"], ["libsym.tbd"]),
            ("umbrella", ["libumbrella.tbd", *look, "-dead_strip_dylibs"],
             ["libumbrella.tbd", "libloop.tbd", "libv4.tbd", "libv5.tbd", "libv3.tbd", "libsym.tbd"]),
            ("loop", ["-dylib", "libloop.tbd", *look, "-sub_library", "libloop"], ["libloop.tbd", "libumbrella.tbd"]),
        ]]
    return links


def mutate(rnd, data):
    b = bytearray(data)
    for _ in range(rnd.choice([1, 1, 1, 2, 3, 6])):
        damage_text(rnd, b)
    return bytes(b)
