# Warnings, code generation and sanitizers, in one place.
set(WELD_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wundef -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough)
if(WELD_WERROR)
  list(APPEND WELD_WARNINGS -Werror)
endif()

# The binary must not depend on where it was built.
set(WELD_CODEGEN -fno-plt -ffunction-sections -fdata-sections
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")

# Not static-pie: a linker at a fixed address starts without relocating itself.
set(WELD_STATIC_LINK -static -no-pie -Wl,--gc-sections)

add_library(weld_sanitizer INTERFACE)
set(sanitize_address -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
if(WELD_SANITIZE STREQUAL "address")
  set(flags ${sanitize_address})
elseif(WELD_SANITIZE STREQUAL "thread")
  set(flags -fsanitize=thread -g)
elseif(WELD_SANITIZE STREQUAL "fuzzer")
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "WELD_SANITIZE=fuzzer needs clang: -DCMAKE_C_COMPILER=clang-14")
  endif()
  set(flags ${sanitize_address} -fsanitize=fuzzer-no-link)
elseif(WELD_SANITIZE)
  message(FATAL_ERROR "WELD_SANITIZE=${WELD_SANITIZE}: address, thread or fuzzer")
else()
  set(flags)
endif()
if(WELD_SANITIZE AND WELD_STATIC)
  message(FATAL_ERROR "a sanitizer build cannot be static: -DWELD_STATIC=OFF")
endif()
target_compile_options(weld_sanitizer INTERFACE ${flags})
target_link_options(weld_sanitizer INTERFACE ${flags})
