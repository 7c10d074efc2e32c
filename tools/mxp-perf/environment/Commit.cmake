# mxp_commit(<target>): mxp-perf/environment/commit.h with the commit of these sources; empty outside of a repository. The
# log of HEAD changes with each commit, and the build is configured anew then.
function(mxp_commit target)
  set(MXP_COMMIT "")
  find_package(Git QUIET)
  if(Git_FOUND)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} rev-parse --short=12 HEAD
      OUTPUT_VARIABLE MXP_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} rev-parse --path-format=absolute --git-path logs/HEAD
      OUTPUT_VARIABLE log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(EXISTS "${log}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${log}")
    endif()
  endif()
  configure_file(${CMAKE_CURRENT_SOURCE_DIR}/mxp-perf/environment/commit.h.in ${CMAKE_CURRENT_BINARY_DIR}/made/mxp-perf/environment/commit.h @ONLY)
  # Alone, since it is compiled after each commit.
  set_source_files_properties(mxp-perf/environment/environment.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/made)
endfunction()
