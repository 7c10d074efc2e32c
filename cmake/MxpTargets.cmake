# One function for each kind of target, so that flags and the direction of rooms are said once.

add_library(mxp_flags INTERFACE)
target_compile_features(mxp_flags INTERFACE cxx_std_23)
target_compile_options(mxp_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Wvla
  # Config structs are meant to be written with a few designated initialisers; the rest keeps its defaults.
  -Wno-missing-field-initializers)
# Functions are bound at the start: binding one at its first call saves the registers on the stack, and what was just
# copied with them, keys included. The table of bound functions is then read-only.
target_link_options(mxp_flags INTERFACE -Wl,-z,relro,-z,now)
if(MXP_WARNINGS_AS_ERRORS)
  target_compile_options(mxp_flags INTERFACE -Werror)
endif()
if(MXP_SANITIZE)
  target_compile_options(mxp_flags INTERFACE -fsanitize=${MXP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mxp_flags INTERFACE -fsanitize=${MXP_SANITIZE})
endif()
if(MXP_DEBUG_TOOLS)
  target_compile_definitions(mxp_flags INTERFACE MXP_DEBUG_TOOLS)
endif()
if(MXP_FUZZ)
  # Coverage counters in everything that a fuzz target links; the targets themselves add the fuzzer's main. The test programs
  # have none: it would be a tenth of their compile time.
  target_compile_options(mxp_flags INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:MXP_TEST_PROGRAM>>>:-fsanitize=fuzzer-no-link>)
endif()
if(MXP_COVERAGE)
  target_compile_options(mxp_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(mxp_flags INTERFACE -fprofile-instr-generate)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 reports overflows and maybe-uninitialised reads in std::string and std::optional that are not there (GCC PR 105329, 105562).
  target_compile_options(mxp_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12 calls its own deprecated std::get_temporary_buffer in std::stable_sort, and clang blames who sorts.
  target_compile_options(mxp_flags INTERFACE -Wno-deprecated-declarations)
endif()

# Several files of a target are compiled as one, which is cheaper, since headers such as those of JSON, CLI11 and Boost.Test
# cost seconds each time they are read. MXP_UNITY says where: "tools" (the default), "all" (also the rooms and the tests:
# the least work for a build from nothing; the release, clang and tidy presets have it) or "off" (for those who change one file again and again).
set(MXP_UNITY tools CACHE STRING "Where several files are compiled as one: off, tools or all")
set_property(CACHE MXP_UNITY PROPERTY STRINGS off tools all)
# 24 at a time: each unit pays once for the headers, and once more for what libraries define in them. The largest take a
# minute of clang with sanitizers, and 0.7 GB.
# mxp_unity(<target> tool|room|test)
function(mxp_unity target kind)
  if(MXP_UNITY STREQUAL "all" OR (MXP_UNITY STREQUAL "tools" AND kind STREQUAL "tool"))
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE BATCH UNITY_BUILD_BATCH_SIZE 24)
    # Meant for headers: a source that is included by the unity file looks like one to g++.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# mxp_room(<name> [ROOMS <room>...] [LIBS <target>...]): one room of libmxp. ROOMS repeats the table of docs/architecture.md:
# what is not named there is not on the link line, and tests/includes_test.py refuses the include.
function(mxp_room name)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(mxp_${name} STATIC ${sources})
  target_include_directories(mxp_${name} PUBLIC ${PROJECT_SOURCE_DIR}/libmxp/include ${PROJECT_SOURCE_DIR}/libmxp)
  target_link_libraries(mxp_${name} PRIVATE mxp_flags)
  foreach(room IN LISTS ARG_ROOMS)
    target_link_libraries(mxp_${name} PUBLIC mxp_${room})
  endforeach()
  target_link_libraries(mxp_${name} PUBLIC ${ARG_LIBS})
  mxp_unity(mxp_${name} room)
  # Only what the headers of include/mxp declare between `#pragma GCC visibility push(default)` and `pop` can be seen from
  # outside, should the archive become part of a shared library; scripts/test_install.sh looks for what leaks.
  set_target_properties(mxp_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# mxp_tool(<name> [ROOMS <room>...] [LIBS <target>...]): one of the command-line tools, from tools/<name>/*.cpp
# and its folders.
# Everything but main.cpp, which calls into it, is also a library, so that its parts can be tested without starting a process.
function(mxp_tool name)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  string(REPLACE "-" "_" part ${name})
  add_library(${part}_parts STATIC ${sources})
  target_include_directories(${part}_parts PUBLIC ${PROJECT_SOURCE_DIR}/tools)
  target_link_libraries(${part}_parts PRIVATE mxp_flags PUBLIC tools_common mxp ${ARG_LIBS})
  mxp_unity(${part}_parts tool)
  foreach(room IN LISTS ARG_ROOMS)
    target_link_libraries(${part}_parts PUBLIC mxp_${room})
  endforeach()
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}/main.cpp)
  target_link_libraries(${name} PRIVATE mxp_flags ${part}_parts)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# mxp_test(<name> FOLDERS <folder>... LIBS <target>... [MAY_SKIP <label>...]): one Boost.Test binary over all sources of
# the folders.
function(mxp_test name)
  cmake_parse_arguments(ARG "" "" "FOLDERS;LIBS;MAY_SKIP" ${ARGN})
  set(sources "")
  foreach(folder IN LISTS ARG_FOLDERS)
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  add_executable(test_${name} ${sources} support/test_main.cpp)
  # BOOST_TEST_MODULE must come before Boost.Test's header, which the precompiled header has already included.
  set_source_files_properties(support/test_main.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_link_libraries(test_${name} PRIVATE mxp_flags mxp_test_support ${ARG_LIBS})
  set_source_files_properties(support/test_main.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  mxp_unity(test_${name} test)
  target_precompile_headers(test_${name} REUSE_FROM mxp_test_pch)
  set_target_properties(test_${name} PROPERTIES MXP_TEST_PROGRAM ON)
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  # What a machine may not permit is a test of its own for each label, so that it is seen to be skipped. All test cases of
  # a label need the same, so that what one of them says is true of all.
  set(tests ${name})
  set(others "")
  foreach(label IN LISTS ARG_MAY_SKIP)
    add_test(NAME ${name}_${label} COMMAND test_${name} --color_output=no --log_level=message --run_test=@${label})
    set_tests_properties(${name}_${label} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped, because ")
    list(APPEND tests ${name}_${label})
    list(APPEND others --run_test=!@${label})
  endforeach()
  add_test(NAME ${name} COMMAND test_${name} --color_output=no ${others})
  # The same cases on every machine; run the binary itself for fresh ones, RC_PARAMS replays what it prints.
  set_tests_properties(${tests} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT "RC_PARAMS=seed=20261122")
endfunction()
