# SPDX-License-Identifier: MIT
# The sample programs run as a user runs them: every sentence about trouble, and what they do when there is none. The
# cases are in tests_run.cmake, a script for every system that CMake runs on; Windows programs go through the emulator.
function(sample_test name)
    add_test(NAME samples/${name} COMMAND ${CMAKE_COMMAND} -DCASE=${name} "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
        -DSERVER=$<TARGET_FILE:echo_server> -DCLIENT=$<TARGET_FILE:echo_client> -DCOPY=$<TARGET_FILE:file_copy>
        -DFOLDER=${CMAKE_CURRENT_BINARY_DIR}/tests/${name} -P ${CMAKE_CURRENT_SOURCE_DIR}/tests_run.cmake)
    set_tests_properties(samples/${name} PROPERTIES TIMEOUT 120)
endfunction()

foreach(name help wrong_arguments bad_port address_in_use connection_refused echo_round_trip
        empty_name missing_file same_file copies_are_equal)
    sample_test(${name})
endforeach()
if(NOT WIN32) # there is no /dev/full, no /dev/stdin, and nobody sends SIGTERM
    foreach(name full_disk pipe ends_on_sigterm)
        sample_test(${name})
    endforeach()
endif()
