# Header folders that pip-installed packages bring along.

# Sets <out> to the folder in which <header> stands, read from the file list of the distribution <package>.
function(nvnmd_header_dir out package header hint)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/cmake/header_dir.py" "${package}" "${header}"
    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_VARIABLE problem RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${header} of the Python package ${package} was not found: ${problem}Try: ${hint}")
  endif()
  set(${out} "${folder}" PARENT_SCOPE)
endfunction()
