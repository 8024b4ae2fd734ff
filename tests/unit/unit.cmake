# SPDX-License-Identifier: MIT
# arguments.c must know every function that the public headers declare: their names become an array, made anew whenever a
# header changes. Names that end in an underscore are what the macros of async.h expand to.
file(GLOB public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/proact/*.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${public_headers})
set(names_text "/* Made from the headers in include/proact. */\nstatic const char *const public_functions[] = {\n")
foreach(header IN LISTS public_headers)
    file(STRINGS ${header} declarations REGEX "^PRO_API ")
    foreach(declaration IN LISTS declarations)
        if(NOT declaration MATCHES "(pro_[a-z0-9_]+)\\(")
            message(FATAL_ERROR "${header}: no name of a function in \"${declaration}\"")
        endif()
        set(name ${CMAKE_MATCH_1})
        if(NOT name MATCHES "_$")
            string(APPEND names_text "    \"${name}\",\n")
        endif()
    endforeach()
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/contract/tests/public_functions.h CONTENT "${names_text}};\n" @ONLY)
