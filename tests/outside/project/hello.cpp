// SPDX-License-Identifier: MIT
// C++ uses the library by callbacks: one sleep, and a lambda that is told.
#include <proact/proact.h>

#include <cstdio>

int main()
{
    pro_loop *loop = nullptr;
    pro_op op{};

    if (pro_loop_new(nullptr, &loop) != PRO_OK)
        return 1;
    op.user = loop;
    int code = pro_then(pro_sleep(&op, loop, PRO_MS(1), PRO_HOW_DEFAULT), [](pro_op *slept) {
        std::printf("hello from proact %s on %s\n", pro_version(), pro_loop_backend(static_cast<pro_loop *>(slept->user)));
    });
    if (code == PRO_OK)
        code = pro_loop_run(loop);
    if (code == PRO_OK)
        code = static_cast<int>(op.result);
    return pro_loop_free(loop) == PRO_OK && code == PRO_OK ? 0 : 1;
}
