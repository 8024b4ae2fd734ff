/* SPDX-License-Identifier: MIT */
/* Linked sources follow their parents and not the reverse; a disposed one is left alone, and refuses what needs it. */
#include "harness.h"

static struct pro_cancellation_registration r[4];

static void say(void *arg) { trace_log("%s", (const char *)arg); }

static struct pro_cancellation_source *linked_to(const struct pro_cancellation_token *tokens, size_t count)
{
    struct pro_cancellation_source *linked = NULL;
    if (pro_cancellation_source_new_linked(tokens, count, &linked) != PRO_OK)
        harness_broken("out of memory");
    return linked;
}

static const char *requested(struct pro_cancellation_token token)
{
    return text_of_bool(pro_cancellation_token_is_canceled(token));
}

SCENARIO(059)
{
    struct pro_cancellation_source *a = cancellation_new(), *b = cancellation_new();
    const struct pro_cancellation_token ta = pro_cancellation_source_token(a), tb = pro_cancellation_source_token(b);
    const struct pro_cancellation_token both[] = { ta, tb };
    struct pro_cancellation_source *linked = linked_to(both, 2);
    const struct pro_cancellation_token tl = pro_cancellation_source_token(linked);
    pro_cancellation_register(ta, &r[0], say, "a, registered after linking");
    pro_cancellation_register(tl, &r[1], say, "linked");
    trace_log("cancelling b");
    pro_cancellation_source_cancel(b);
    trace_log("linked: %s, a: %s", requested(tl), requested(ta));

    struct pro_cancellation_source *l2 = linked_to(&ta, 1);
    pro_cancellation_source_cancel(l2);
    trace_log("the parent is not cancelled by its child: %s", requested(ta));
    struct pro_cancellation_source *l3 = linked_to(&ta, 1);
    pro_cancellation_register(pro_cancellation_source_token(l3), &r[2], say, "l3");
    pro_cancellation_source_dispose(l3);
    struct pro_cancellation_source *l4 = linked_to(&ta, 1);
    pro_cancellation_register(pro_cancellation_source_token(l4), &r[3], say, "l4");
    trace_log("cancelling a");
    pro_cancellation_source_cancel(a);
    trace_log("disposed linked source was left alone");
    struct pro_cancellation_source *l5 = linked_to(&ta, 1);
    trace_log("linked to a cancelled one: %s", requested(pro_cancellation_source_token(l5)));

    pro_cancellation_source_dispose(a);
    struct pro_cancellation_token token;
    trace_log("after Dispose, requested: %s, Token: %s, Cancel: %s, CancelAfter: %s", requested(ta),
              err_of(pro_cancellation_source_get_token(a, &token), NULL),
              err_of(pro_cancellation_source_cancel(a), NULL),
              err_of(pro_cancellation_source_cancel_after(a, PRO_MS(1)), NULL));
}
