# mxp_embed(<target> <name> <file>): the bytes of a file, in the target, as
#   std::string_view mxp::tools::embedded::<name>();
# The file is read at build time, so that a program carries it and needs nothing installed.
set(MXP_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_file.cmake)
function(mxp_embed target name file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${target}_${name}.cpp)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${source} -DNAME=${name} -P ${MXP_EMBED_SCRIPT}
    DEPENDS ${file} ${MXP_EMBED_SCRIPT}
    VERBATIM)
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# The plotting library of the tools' pages, as the package libjs-dygraphs has it. MXP_DYGRAPHS_DIR names another folder.
set(MXP_DYGRAPHS_DIR /usr/share/javascript/dygraphs CACHE PATH "Folder of dygraph.min.js and dygraph.min.css (libjs-dygraphs)")
foreach(file dygraph.min.js dygraph.min.css)
  if(NOT EXISTS ${MXP_DYGRAPHS_DIR}/${file})
    message(FATAL_ERROR "${MXP_DYGRAPHS_DIR}/${file} is missing: install libjs-dygraphs (scripts/setup.sh), or name its folder with -DMXP_DYGRAPHS_DIR=…")
  endif()
endforeach()
