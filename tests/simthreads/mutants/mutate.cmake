# SPDX-License-Identifier: MIT
# Copies one source file with one deliberate mistake in it: cmake -DMUTANT=x.mutant -DROOT=… -DOUTPUT=x.c -P mutate.cmake
# A mutant is the name of the file, then what stands in it, then what shall stand there. The text must be there, once:
# a source that has moved on fails the build, and not the proof in silence.
cmake_minimum_required(VERSION 3.25)
file(READ ${MUTANT} mutant)
string(FIND "${mutant}" "\n<<<<\n" at_old)
string(FIND "${mutant}" "\n====\n" at_new)
string(FIND "${mutant}" "\n>>>>\n" at_end)
if(at_old LESS 0 OR at_new LESS ${at_old} OR at_end LESS ${at_new})
    message(FATAL_ERROR "${MUTANT}: not FILE, <<<<, old, ====, new, >>>>")
endif()

function(part ret_text from to)
    math(EXPR length "${to} - ${from}")
    string(SUBSTRING "${mutant}" ${from} ${length} text)
    set(${ret_text} "${text}" PARENT_SCOPE)
endfunction()
math(EXPR from_old "${at_old} + 6")
math(EXPR from_new "${at_new} + 6")
part(head 0 ${at_old})
part(old ${from_old} ${at_new})
part(new ${from_new} ${at_end})
string(REGEX REPLACE "^.*\n" "" source "${head}")

file(READ ${ROOT}/${source} text)
string(FIND "${text}" "${old}" first)
string(FIND "${text}" "${old}" last REVERSE)
if(first LESS 0 OR NOT first EQUAL last)
    message(FATAL_ERROR "${MUTANT}: its text is not in ${source} exactly once any more; make the mistake anew")
endif()
string(REPLACE "${old}" "${new}" text "${text}")
file(WRITE ${OUTPUT} "${text}")
