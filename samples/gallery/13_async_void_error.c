/* SPDX-License-Identifier: MIT */
/* The error of an async void method reaches the context, not the caller.
 *
 * load_settings() is async void: it gives no task. It opens a file that is not there, so it fails, after its first
 * await, when its caller has long gone on; there is nothing the caller could have looked at. The error is not lost: it
 * is posted to the context that was current when the method was called. A UI gives it to its handler for unhandled
 * errors (WPF: DispatcherUnhandledException). Without a context the process ends.
 * Below is such a context, the smallest useful one: it passes items on to the UI's queue and adds the handler.
 * The moral: async void only for event handlers, at the very top; everything else gives a task.
 */
#include "gallery.h"

static int post(struct pro_sync_context *context, struct pro_work *work)
{
    (void)context;
    return pro_sync_context_post_work(pro_pump_context(ui_pump()), work);
}

static void unhandled_error(struct pro_sync_context *context, struct pro_error *error)
{
    (void)context;
    say("the context's handler: %s", pro_error_message(error));
    scene_end_with("the context got it: %s", pro_err_name(pro_error_code(error)));
}

static const struct pro_sync_context_vtable window_vtable = { .post = post, .unhandled_error = unhandled_error };
static struct pro_sync_context window;

struct load_settings {
    PRO_FRAME;
    struct pro_op op;
    struct pro_file file;
};

PRO_ASYNC(load_settings_move_next, struct load_settings, self)
    PRO_AWAIT(pro_file_open(&self->op, NULL, "no-such-settings.txt", PRO_OPEN_READ, &self->file, PRO_HOW_DEFAULT));
    scene_end_with("the file is there, nothing to show");
PRO_FINALLY
    if (pro_file_is_open(&self->file))
        PRO_AWAIT(pro_file_close(&self->op, &self->file));
PRO_ASYNC_END

static void load_settings(void)
{
    struct load_settings *self = PRO_NEW_FRAME_VOID(struct load_settings, load_settings_move_next);
    if (self)
        PRO_START_VOID(self);
}

static void on_click(void *arg)
{
    struct pro_sync_context *previous = pro_sync_context_set(&window);
    (void)arg;
    load_settings();
    say("click: the caller goes on; it has seen no error");
    pro_sync_context_set(previous);
}

static const char *play(void)
{
    pro_sync_context_init(&window, &window_vtable, "window");
    return ui_run(on_click);
}

SCENARIO(play, .expects = "the context got it: PRO_E_NOT_FOUND");
