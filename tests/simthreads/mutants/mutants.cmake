# SPDX-License-Identifier: MIT
# Deliberate mistakes, one for each property. Each is built into a program of its own, which must fail, and fail again
# the same way when the schedule that it prints is replayed.
function(simthreads_mutant program folder source test)
    set(mutant ${CMAKE_CURRENT_SOURCE_DIR}/mutants/${program}.mutant)
    set(mutated ${CMAKE_CURRENT_BINARY_DIR}/mutants/${program}_mutated.c)
    add_custom_command(OUTPUT ${mutated}
        COMMAND ${CMAKE_COMMAND} -DMUTANT=${mutant} -DROOT=${PROJECT_SOURCE_DIR} -DOUTPUT=${mutated}
            -P ${CMAKE_CURRENT_SOURCE_DIR}/mutants/mutate.cmake
        DEPENDS ${mutant} ${CMAKE_CURRENT_SOURCE_DIR}/mutants/mutate.cmake ${PROJECT_SOURCE_DIR}/${folder}/${source}
        VERBATIM)
    add_library(mutant_${program} OBJECT ${mutated})
    target_include_directories(mutant_${program} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/${folder}
        ${PROJECT_SOURCE_DIR}/platform ${PROJECT_BINARY_DIR}/contract/${folder})
    target_compile_definitions(mutant_${program} PRIVATE PROACT_BUILDING)
    target_link_libraries(mutant_${program} PRIVATE proact_options)
    # Its functions come before those of the same names in the static library, whose object is not taken then.
    simthreads_program(test_mutant_${program} ${program}.c $<TARGET_OBJECTS:mutant_${program}>)
    add_test(NAME simthreads/mutants/${program} COMMAND ${CMAKE_COMMAND} -DNAME=${program}
        -DPROGRAM=$<TARGET_FILE:test_mutant_${program}> -DTEST=${test}
        -P ${CMAKE_CURRENT_SOURCE_DIR}/mutants/run.cmake)
    set_tests_properties(simthreads/mutants/${program} PROPERTIES TIMEOUT 600)
endfunction()

simthreads_mutant(task_word awaiters task.c of_two_completers)
simthreads_mutant(continuation_list awaiters continuation.c continuations_that_several_threads_add)
simthreads_mutant(active_tasks awaiters active_tasks.c a_task_completed_while)
simthreads_mutant(cancellation_registration awaiters cancellation.c after_unregister_wait)
simthreads_mutant(when_each awaiters when_each.c a_member_that_completes)
simthreads_mutant(pool_queues sync_context pool_queue.c owner_and_thief)
simthreads_mutant(parking sync_context pool.c the_only_worker_falls_asleep)
simthreads_mutant(report sync_context context.c a_context_that_a_report_reads)
