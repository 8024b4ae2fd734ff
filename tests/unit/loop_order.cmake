# SPDX-License-Identifier: MIT
# docs/loop-order.md numbers what a turn does; loop_order.c has a test for each sentence. The sentences become an array of
# the tests' names, so that no test has to find a file at run time.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/loop-order.md)
file(STRINGS ${PROJECT_SOURCE_DIR}/docs/loop-order.md sentences REGEX "^[0-9]+[.] " ENCODING UTF-8)
set(order_text "/* Made from docs/loop-order.md. */\nstatic const char *const order_sentences[] = {\n")
foreach(sentence IN LISTS sentences)
    string(TOLOWER "order ${sentence}" name)
    string(REGEX REPLACE "[^a-z0-9]+" "_" name "${name}")
    string(REGEX REPLACE "_$" "" name "${name}")
    string(APPEND order_text "    \"${name}\",\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/contract/tests/order_sentences.h CONTENT "${order_text}};\n" @ONLY)
