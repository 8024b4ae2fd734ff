# SPDX-License-Identifier: MIT
# Runs a program that has a mistake in it: cmake -DNAME=… -DPROGRAM=… -DTEST=… -P run.cmake. The search must find it, and
# the schedule that it prints must lead there again, at once.
cmake_minimum_required(VERSION 3.25)

function(say text)
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${text}")
endfunction()

function(fail sentence output)
    say("  ${sentence}\n${output}")
    say("FAIL mutants/${NAME}\n0 passed, 1 failed, 0 skipped")
    message(FATAL_ERROR "${sentence}")
endfunction()

execute_process(COMMAND ${PROGRAM} ${TEST} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
if(status STREQUAL "0" OR NOT output MATCHES "\nFAIL |^FAIL ")
    fail("the mistake was not found" "${output}")
endif()
if(NOT output MATCHES "after ([0-9]+) runs; again: (PROACT_SCHEDULE[_A-Z]*)=([^ ]*) ")
    fail("no schedule was printed" "${output}")
endif()
set(runs ${CMAKE_MATCH_1})
set(variable ${CMAKE_MATCH_2})
set(schedule ${CMAKE_MATCH_3})
string(REGEX MATCH "not as expected: [^\n]*|DEADLOCK|it never ends|ended by signal" said "${output}")
if(said STREQUAL "")
    fail("it does not say what is wrong" "${output}")
endif()

foreach(time 1 2)
    set(ENV{${variable}} ${schedule})
    execute_process(COMMAND ${PROGRAM} ${TEST}
        OUTPUT_VARIABLE again ERROR_VARIABLE again RESULT_VARIABLE status)
    if(NOT status MATCHES "^[0-9]+$")
        string(APPEND again "ended by signal")
    endif()
    string(FIND "${again}" "${said}" found)
    if(status STREQUAL "0" OR found LESS 0)
        fail("replaying ${variable}=${schedule} does not lead to \"${said}\"" "${again}")
    endif()
endforeach()
say("  found after ${runs} runs, and again by ${variable}=${schedule}: ${said}")
say("PASS mutants/${NAME}\n1 passed, 0 failed, 0 skipped\nALL-OK")
