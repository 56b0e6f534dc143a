# machorun for the CPU of this machine and, with a cross compiler, for arm64. Both are static: the second runs
# without an arm64 system's libraries.
enable_language(ASM)
set(machorun_dir "${CMAKE_CURRENT_LIST_DIR}")
file(GLOB machorun_sources CONFIGURE_DEPENDS "${machorun_dir}/*.c")
add_executable(machorun ${machorun_sources} "${machorun_dir}/asm_x86_64.S")
target_compile_definitions(machorun PRIVATE _GNU_SOURCE)
target_compile_options(machorun PRIVATE $<$<COMPILE_LANGUAGE:C>:${WELD_WARNINGS}>)
target_include_directories(machorun PRIVATE src "${machorun_dir}")
target_link_options(machorun PRIVATE -static -no-pie)
target_link_libraries(machorun PRIVATE m Threads::Threads)
set_target_properties(machorun PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
set_property(SOURCE "${machorun_dir}/asm_x86_64.S" PROPERTY OBJECT_DEPENDS "${machorun_dir}/variadic.inc")

find_program(WELD_AARCH64_CC aarch64-linux-gnu-gcc)
mark_as_advanced(WELD_AARCH64_CC)
if(WELD_AARCH64_CC)
  file(GLOB machorun_headers CONFIGURE_DEPENDS "${machorun_dir}/*.h" "${machorun_dir}/*.inc")
  set(machorun_arm64 "${CMAKE_BINARY_DIR}/tests/machorun-arm64")
  add_custom_command(OUTPUT "${machorun_arm64}"
    COMMAND "${WELD_AARCH64_CC}" -std=gnu17 -O2 -D_GNU_SOURCE ${WELD_WARNINGS}
      -I "${CMAKE_SOURCE_DIR}/src" -I "${machorun_dir}" ${machorun_sources} "${machorun_dir}/asm_aarch64.S"
      -static -o "${machorun_arm64}" -lm
    DEPENDS ${machorun_sources} ${machorun_headers} "${machorun_dir}/asm_aarch64.S" VERBATIM)
  add_custom_target(machorun-arm64 ALL DEPENDS "${machorun_arm64}")
endif()
