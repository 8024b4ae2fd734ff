# SPDX-License-Identifier: MIT
# docs/portability.md says what each backend may answer, and the contract tests hold the backends to that very table: its
# lines become an array of strings, so that no test has to find a file at run time.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/portability.md)
file(STRINGS ${PROJECT_SOURCE_DIR}/docs/portability.md table_rows REGEX "^[|] `" ENCODING UTF-8)
set(table_text "/* Made from docs/portability.md. */\nstatic const char *const portability_rows[] = {\n")
foreach(row IN LISTS table_rows)
    string(REPLACE "\\" "\\\\" row "${row}")
    string(REPLACE "\"" "\\\"" row "${row}")
    string(APPEND table_text "    \"${row}\",\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/contract/tests/portability_table.h CONTENT "${table_text}};\n" @ONLY)
