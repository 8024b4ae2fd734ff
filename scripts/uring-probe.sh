#!/bin/sh
# SPDX-License-Identifier: MIT
# Does this kernel give io_uring to this process? A bare io_uring_setup(1 entry), without any library: exit 0 if it
# does, 1 and one sentence if it does not. Perl is part of every Debian; without it a C compiler does the same.
if command -v perl >/dev/null 2>&1; then
    reason=$(perl -e 'my $p = "\0" x 120; my $fd = syscall(425, 1, $p); print $! if $fd < 0') || reason="perl failed"
elif command -v cc >/dev/null 2>&1; then
    probe=$(mktemp) || exit 1
    printf '%s\n' '#include <errno.h>' '#include <stdio.h>' '#include <string.h>' 'long syscall(long, ...);' \
        'int main(void) { char p[120] = { 0 }; if (syscall(425, 1, p) < 0) puts(strerror(errno)); return 0; }' |
        cc -x c - -o "$probe" && reason=$("$probe") || reason="the probe could not be compiled"
    rm -f "$probe"
else
    reason="neither perl nor cc is here to ask with"
fi
[ -z "$reason" ] && exit 0
[ -r /proc/sys/kernel/io_uring_disabled ] && [ "$(cat /proc/sys/kernel/io_uring_disabled)" != 0 ] &&
    reason="$reason, kernel.io_uring_disabled is set"
echo "The kernel or the container refuses io_uring ($reason), so Linux runs on the epoll backend."
exit 1
