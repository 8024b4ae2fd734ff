/* SPDX-License-Identifier: MIT */
/* WhenAny completes successfully with the first task (here: its index), whatever its outcome; the others go on. */
#include "harness.h"

static size_t index_of(struct pro_task *any)
{
    size_t index = SIZE_MAX;
    PRO_RESULT(any, &index);
    return index;
}

SCENARIO(041)
{
    struct pro_completion_source *a = source_new(PRO_TASK_DEFAULT);
    struct pro_completion_source *b = source_new(PRO_TASK_DEFAULT);
    struct pro_completion_source *c = source_new(PRO_TASK_DEFAULT);
    struct pro_task *abc[] = { source_task(a), source_task(b), source_task(c) };
    struct pro_task *any = pro_when_any(abc, 3);
    trace_log("none yet: %s", status_of(any));
    pro_completion_source_set_error(b, test_error("b"));
    harness_finish(any, "any");
    trace_log("any: %s, the second: %s, %s", status_of(any), text_of_bool(index_of(any) == 1),
              harness_describe(abc[index_of(any)]));
    source_set_result(a, 1);
    trace_log("still the second: %s", text_of_bool(index_of(any) == 1));

    struct pro_task *many[] = { source_task(c), source_task(a), source_task(b) };
    struct pro_task *any2 = pro_when_any(many, 3);
    trace_log("completed already: %s, the lowest index: %s", status_of(any2), text_of_bool(index_of(any2) == 1));
    trace_log("no tasks: %s", err_name(pro_task_error(pro_when_any(NULL, 0))));
    struct pro_task *two[] = { from_result(5), source_task(c) };
    struct pro_task *any3 = pro_when_any(two, 2);
    trace_log("two: %s %d", status_of(any3), result_of(two[index_of(any3)]));
    trace_log("the loser: %s", status_of(source_task(c)));
}
