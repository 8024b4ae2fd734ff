# SPDX-License-Identifier: MIT
# A copy of a scenario with other function names, on other lines, and with an expectation it will not meet:
#   cmake -DINPUT=… -DOUTPUT=… -P rename.cmake
file(READ ${INPUT} text)
string(REPLACE "fetch" "download" text "${text}")
string(REPLACE "load_user" "read_profile" text "${text}")
string(REPLACE "on_click" "on_press" text "${text}")
string(REPLACE "#include \"gallery.h\"\n" "#include \"gallery.h\"\n\n\n\n\n\n\n" text "${text}")
string(REPLACE "static void on_press" "\n\n\nstatic void on_press" text "${text}")
string(REPLACE ".expects = \"deadlock\"" ".expects = \"completes\"" text "${text}")
file(WRITE ${OUTPUT} "${text}")
