# SPDX-License-Identifier: MIT
# Writes C that holds the given sources as text, line by line:
#   cmake -DOUTPUT=sources.c "-DFILES=01_….c|02_….c" -P embed.cmake
string(REPLACE "|" ";" files "${FILES}")
set(arrays "")
set(index "")
foreach(path IN LISTS files)
    get_filename_component(name ${path} NAME)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    file(READ ${path} text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REGEX REPLACE "\n$" "" text "${text}")
    string(REPLACE "\n" "\",\n    \"" text "${text}")
    string(APPEND arrays "static const char *const lines${identifier}[] = {\n    \"${text}\",\n    NULL\n};\n\n")
    string(APPEND index "    { \"${name}\", lines${identifier} },\n")
endforeach()
file(WRITE ${OUTPUT}.new "/* Written by embed.cmake from the scenarios. */\n#include \"book.h\"\n\n${arrays}"
    "const struct book_source book_sources[] = {\n${index}    { NULL, NULL }\n};\n")
file(RENAME ${OUTPUT}.new ${OUTPUT})
