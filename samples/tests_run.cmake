# SPDX-License-Identifier: MIT
# One case of the sample programs' tests: cmake -DCASE=… -DSERVER=… -DCLIENT=… -DCOPY=… -DFOLDER=… -P tests_run.cmake
cmake_minimum_required(VERSION 3.25)
unset(ENV{WINE_RUN_MARKER}) # these programs end with sentences of their own, and each is looked at here
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
set(server ${EMULATOR} ${SERVER})
set(client ${EMULATOR} ${CLIENT})
set(copy ${EMULATOR} ${COPY})

# run(COMMANDS…): as execute_process; sets status (of all, in order), out (of the last) and err (of all together).
function(run)
    execute_process(${ARGV} TIMEOUT 60 WORKING_DIRECTORY ${FOLDER} RESULTS_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
    string(REPLACE "\r" "" out "${out}")
    string(REPLACE "\r" "" err "${err}")
    set(status "${status}" PARENT_SCOPE)
    set(out "${out}" PARENT_SCOPE)
    set(err "${err}" PARENT_SCOPE)
endfunction()

function(complain what)
    message(FATAL_ERROR "${what}\nstatus: ${status}\nstdout: ${out}\nstderr: ${err}")
endfunction()

# expect(STATUS STREAM TEXT): the status, and the sentence in that stream.
function(expect wanted stream text)
    if(NOT "${status}" STREQUAL "${wanted}")
        complain("The status is not ${wanted}.")
    endif()
    string(FIND "${${stream}}" "${text}" place)
    if(place EQUAL -1)
        complain("std${stream} does not say: ${text}")
    endif()
endfunction()

# One sentence, and nothing else.
function(expect_sentence wanted text)
    expect("${wanted}" err "${text}")
    string(REGEX MATCHALL "\n" lines "${err}")
    list(LENGTH lines count)
    if(NOT count EQUAL 1)
        complain("It is not one sentence.")
    endif()
endfunction()

# A port below those that systems choose by themselves. Somebody may have it all the same: callers try another.
macro(choose_port)
    string(RANDOM LENGTH 4 ALPHABET 0123456789 digits)
    set(port 2${digits})
endmacro()

# Says yes to the sentence of a port that was taken by somebody else.
function(port_was_taken ret)
    string(FIND "${err}" "cannot listen on" place)
    if(place EQUAL -1)
        set(${ret} FALSE PARENT_SCOPE)
    else()
        set(${ret} TRUE PARENT_SCOPE)
    endif()
endfunction()

function(case_help)
    foreach(program server client copy)
        run(COMMAND ${${program}} --help)
        expect(0 out "usage: ")
        expect(0 out "Exit status: ")
    endforeach()
endfunction()

function(case_wrong_arguments)
    run(COMMAND ${server})
    expect_sentence(2 "echo_server: too few arguments")
    run(COMMAND ${copy} one)
    expect_sentence(2 "file_copy: too few arguments")
    run(COMMAND ${copy} one two three)
    expect_sentence(2 "file_copy: too many arguments")
    run(COMMAND ${client} --loud 7000)
    expect_sentence(2 "echo_client: there is no option '--loud'")
    run(COMMAND ${client} --size 0 7000)
    expect_sentence(2 "echo_client: --size needs a number from 1 to 16777216, not '0'")
    run(COMMAND ${client} 7000 --size)
    expect_sentence(2 "echo_client: --size needs a number")
    run(COMMAND ${client} localhost:7000)
    expect_sentence(2 "echo_client: 'localhost:7000' is no address")
    run(COMMAND ${client} 0)
    expect_sentence(2 "echo_client: port 0 is nobody's")
endfunction()

function(case_bad_port)
    foreach(text 65536 abc 7000x 99999999999999999999)
        run(COMMAND ${server} ${text})
        expect_sentence(2 "echo_server: '${text}' is no port: it takes a number from 0 to 65535")
        run(COMMAND ${client} 127.0.0.1:${text})
        expect_sentence(2 "echo_client: '${text}' is no port: it takes a number from 0 to 65535")
    endforeach()
endfunction()

# Two servers want one port: one of them, whichever, gets it and serves the client.
function(case_address_in_use)
    foreach(attempt RANGE 5)
        choose_port()
        run(COMMAND ${server} --quiet --connections 1 ${port}
            COMMAND ${server} --quiet --connections 1 ${port}
            COMMAND ${client} --wait 10 --requests 1 ${port})
        if("${status}" STREQUAL "0;1;0" OR "${status}" STREQUAL "1;0;0")
            expect_sentence("${status}" "echo_server: cannot listen on 127.0.0.1:${port}: the address is in use")
            return()
        endif()
        if(NOT "${status}" STREQUAL "1;1;1") # not even one got it: the port was somebody else's
            complain("Exactly one of the servers should have ended with 1.")
        endif()
    endforeach()
    complain("No port is free.")
endfunction()

function(case_connection_refused)
    run(COMMAND ${client} 127.0.0.1:1)
    expect_sentence(1 "echo_client: cannot connect to 127.0.0.1:1: the connection was refused")
endfunction()

# The server serves exactly the client's connections and ends by itself.
function(round_trip connections requests size)
    foreach(attempt RANGE 5)
        choose_port()
        run(COMMAND ${server} --quiet --connections ${connections} ${port}
            COMMAND ${client} --wait 10 --connections ${connections} --requests ${requests} --size ${size} ${port})
        port_was_taken(taken)
        if(NOT taken)
            math(EXPR answers "${connections} * ${requests}")
            expect("0;0" out "${answers} answers of ${size} bytes over ${connections} connections")
            return()
        endif()
    endforeach()
    complain("No port is free.")
endfunction()

function(case_echo_round_trip)
    round_trip(1 100 1)
    round_trip(8 50 512) # as much as fits a connection's small buffer
    round_trip(3 20 100000)
    round_trip(2 2 8000000)
endfunction()

function(case_missing_file)
    run(COMMAND ${copy} nowhere to)
    expect_sentence(1 "file_copy: cannot open 'nowhere': there is no such file or directory")
    if(EXISTS ${FOLDER}/to)
        complain("It has made a destination although there is no source.")
    endif()
    file(WRITE ${FOLDER}/from "text")
    run(COMMAND ${copy} from nowhere/to)
    expect_sentence(1 "file_copy: cannot create 'nowhere/to': there is no such file or directory")
    file(MAKE_DIRECTORY ${FOLDER}/folder)
    run(COMMAND ${copy} folder to)
    expect_sentence(1 "file_copy: cannot open 'folder': it is a directory")
    run(COMMAND ${copy} from folder)
    expect_sentence(1 "file_copy: cannot create 'folder': it is a directory")
endfunction()

function(case_same_file)
    file(WRITE ${FOLDER}/from "text")
    run(COMMAND ${copy} from ./from)
    expect_sentence(1 "file_copy: 'from' and './from' are the same file")
    file(READ ${FOLDER}/from text)
    if(NOT text STREQUAL "text")
        complain("The file has lost what was in it.")
    endif()
endfunction()

function(case_full_disk)
    string(REPEAT "all that does not fit " 50000 text)
    file(WRITE ${FOLDER}/from "${text}")
    run(COMMAND ${copy} from /dev/full)
    expect_sentence(1 "file_copy: cannot write '/dev/full': the disk is full")
endfunction()

# expect_copy(LENGTH OPTIONS…)
function(expect_copy length)
    string(RANDOM LENGTH 4093 ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789" text)
    math(EXPR times "${length} / 4093 + 1")
    string(REPEAT "${text}" ${times} text)
    string(SUBSTRING "${text}" 0 ${length} text)
    file(WRITE ${FOLDER}/from "${text}")
    run(COMMAND ${copy} ${ARGN} from to)
    expect(0 out "")
    if(NOT "${err}${out}" STREQUAL "")
        complain("A copy without trouble has nothing to say when nobody is looking.")
    endif()
    file(SHA256 ${FOLDER}/from of_from)
    file(SHA256 ${FOLDER}/to of_to)
    if(NOT of_from STREQUAL of_to)
        complain("The copy of ${length} bytes (${ARGN}) differs.")
    endif()
endfunction()

function(case_copies_are_equal)
    expect_copy(3000001)
    expect_copy(0) # and the longer one from before is gone
    expect_copy(1)
    foreach(length 999 1000 1001 2999 3000 3001 12345)
        expect_copy(${length} --chunk 1000 --lanes 3 --no-sync)
    endforeach()
    expect_copy(777 --chunk 1 --lanes 64)
    expect_copy(10000000 --lanes 1)
endfunction()

# One connection after the other has come and gone, one is at work, when the signal comes.
function(case_ends_on_sigterm)
    file(WRITE ${FOLDER}/run.sh [[
"$1" $3 & server=$!
"$2" --wait 10 --connections 5 $3 || { kill $server; exit 1; }
"$2" --requests 1000000 $3 & client=$!
"$2" $3
kill -TERM $server
wait $server; status=$?
wait $client && exit 9
exit $status
]])
    foreach(attempt RANGE 5)
        choose_port()
        run(COMMAND sh run.sh ${SERVER} ${CLIENT} ${port})
        port_was_taken(taken)
        if(NOT taken)
            expect(0 out "echo_server: ended after ")
            return()
        endif()
    endforeach()
    complain("No port is free.")
endfunction()

if(NOT COMMAND case_${CASE})
    message(FATAL_ERROR "There is no case '${CASE}'.")
endif()
cmake_language(CALL case_${CASE})
