# SPDX-License-Identifier: MIT
# Runs one scenario and compares what it prints, byte for byte, with the trace that .NET printed:
#
#   cmake -DSCENARIO=001 -DPROGRAM=build/linux/tests/conformance/conformance [-DREPEAT=20] [-DEMULATOR=…]
#         [-DACTUAL=file] -P tests/conformance/run.cmake
#
# CTest runs it so, once; CONF_REPEAT=20 in the environment is REPEAT for all of them. A run also fails when a sanitizer
# has something to say.
cmake_minimum_required(VERSION 3.25)

if(NOT DEFINED REPEAT)
    set(REPEAT "$ENV{CONF_REPEAT}")
endif()
if(NOT REPEAT)
    set(REPEAT 1)
endif()
if(NOT ACTUAL)
    set(ACTUAL ${CMAKE_CURRENT_BINARY_DIR}/${SCENARIO}.actual)
endif()
set(EXPECTED ${CMAKE_CURRENT_LIST_DIR}/expected/${SCENARIO}.trace)

function(say text)
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${text}")
endfunction()

# Cuts the first line off the variable @text. The texts hold brackets, so they must never become a list.
macro(take_line text ret_line)
    string(FIND "${${text}}" "\n" end)
    if(end LESS 0)
        set(${ret_line} "${${text}} (no newline at the end)")
        set(${text} "")
    else()
        string(SUBSTRING "${${text}}" 0 ${end} ${ret_line})
        math(EXPR end "${end} + 1")
        string(SUBSTRING "${${text}}" ${end} -1 ${text})
    endif()
endmacro()

# Prints the lines both have, then what is missing (-) and what came instead (+).
function(say_difference expected actual)
    while(NOT expected STREQUAL "" AND NOT actual STREQUAL "")
        set(rest_expected "${expected}")
        set(rest_actual "${actual}")
        take_line(rest_expected line_expected)
        take_line(rest_actual line_actual)
        if(NOT line_expected STREQUAL line_actual)
            break()
        endif()
        say("    ${line_expected}")
        set(expected "${rest_expected}")
        set(actual "${rest_actual}")
    endwhile()
    while(NOT expected STREQUAL "")
        take_line(expected line)
        say("  - ${line}")
    endwhile()
    while(NOT actual STREQUAL "")
        take_line(actual line)
        say("  + ${line}")
    endwhile()
endfunction()

function(fail run status different errors)
    say("FAIL conformance/${SCENARIO} (run ${run} of ${REPEAT}, exit status ${status})")
    file(READ ${EXPECTED} expected)
    file(READ ${ACTUAL} actual)
    if(NOT different)
        say("  the trace is right; the program ended badly, or a sanitizer found something")
    elseif(expected STREQUAL actual)
        say("  the same lines, with other line ends")
    else()
        say("  lines of .NET (-) and of this program (+):")
        say_difference("${expected}" "${actual}")
    endif()
    if(NOT errors STREQUAL "")
        say("  standard error:\n${errors}")
    endif()
    say("0 passed, 1 failed, 0 skipped")
    message(FATAL_ERROR "the run is not as expected; its trace is in ${ACTUAL}")
endfunction()

foreach(run RANGE 1 ${REPEAT})
    execute_process(COMMAND ${EMULATOR} ${PROGRAM} ${SCENARIO}
        OUTPUT_FILE ${ACTUAL} ERROR_VARIABLE errors RESULT_VARIABLE status)
    execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${EXPECTED} ${ACTUAL}
        RESULT_VARIABLE different OUTPUT_QUIET ERROR_QUIET)
    if(different OR NOT status STREQUAL "0" OR errors MATCHES "Sanitizer|runtime error:")
        fail(${run} "${status}" ${different} "${errors}")
    endif()
endforeach()
say("PASS conformance/${SCENARIO}")
say("1 passed, 0 failed, 0 skipped")
