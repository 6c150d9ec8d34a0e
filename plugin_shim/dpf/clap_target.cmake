# DPF 1.6's CMake module has no CLAP target (its Makefiles do); this has the shape of its dpf__build_vst2.
if(NOT COMMAND dpf__build_clap)
  function(dpf__build_clap NAME DGL_LIBRARY)
    dpf__create_dummy_source_list(_no_srcs)
    dpf__add_module("${NAME}-clap" ${_no_srcs})
    dpf__add_plugin_main("${NAME}-clap" "clap")
    dpf__add_ui_main("${NAME}-clap" "clap" "${DGL_LIBRARY}")
    dpf__set_module_export_list("${NAME}-clap" "clap")
    target_link_libraries("${NAME}-clap" PRIVATE "${NAME}-dsp" "${NAME}-ui")
    set_target_properties("${NAME}-clap" PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/$<0:>"
      OUTPUT_NAME "${NAME}"
      PREFIX ""
      SUFFIX ".clap")
  endfunction()
endif()
