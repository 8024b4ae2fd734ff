/* SPDX-License-Identifier: MIT */
/* The kernel refuses io_uring: what a loop does then, each time in a child under a filter of system calls. */
#include <proact/proact.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness_system.h"
#include "loops.h"

/* What a child found; it comes through a pipe. */
struct finding {
    int code;
    char backend[16], reason[240], notice[400];
    bool echo, file;
};

/* From now on io_uring_setup answers @answer when it is asked for more than @entries. */
static bool refuse_rings(int answer, unsigned entries)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, entries, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void note_notice(const char *sentence, void *user)
{
    struct finding *const finding = user;

    snprintf(finding->notice, sizeof finding->notice, "%s", sentence);
}

/* ---- what a loop must be able to do on any backend ---- */

static bool echoes(struct pro_loop *loop)
{
    char out[] = "there and back", in[sizeof out] = "";
    struct pro_op op = { 0 };
    struct pair pair;

    loop_connect(loop, &pair);
    return loop_answer(loop, pro_send_all(&op, &pair.client, out, sizeof out, PRO_HOW_DEFAULT)) == sizeof out &&
           loop_answer(loop, pro_recv(&op, &pair.server, in, sizeof in, PRO_HOW_DEFAULT)) == sizeof in &&
           loop_answer(loop, pro_send_all(&op, &pair.server, in, sizeof in, PRO_HOW_DEFAULT)) == sizeof in &&
           loop_answer(loop, pro_recv(&op, &pair.client, in, sizeof in, PRO_HOW_DEFAULT)) == sizeof in &&
           strcmp(in, out) == 0;
}

static bool writes_and_reads(struct pro_loop *loop)
{
    char path[] = "/tmp/proact-refusal-XXXXXX", out[] = "kept", in[sizeof out] = "";
    const int fd = mkstemp(path);
    struct pro_op op = { 0 };
    struct pro_file file;
    bool fine;

    if (fd < 0)
        return false;
    close(fd);
    fine = loop_answer(loop, pro_file_open(&op, loop, path, PRO_OPEN_READ | PRO_OPEN_WRITE, &file, PRO_HOW_DEFAULT)) ==
               PRO_OK &&
           loop_answer(loop, pro_write_at(&op, &file, out, sizeof out, 100, PRO_HOW_DEFAULT)) == sizeof out &&
           loop_answer(loop, pro_file_sync(&op, &file, PRO_HOW_DEFAULT)) == PRO_OK &&
           loop_answer(loop, pro_read_at(&op, &file, in, sizeof in, 100, PRO_HOW_DEFAULT)) == sizeof in &&
           loop_answer(loop, pro_file_close(&op, &file)) == PRO_OK;
    unlink(path);
    return fine && strcmp(in, out) == 0;
}

static void look(const char *backend, struct finding *finding)
{
    const struct pro_loop_options options = { .name = "refused", .backend = backend };
    struct pro_loop *loop = NULL;

    pro_set_notice_handler(note_notice, finding);
    finding->code = pro_loop_new(&options, &loop);
    if (finding->code < 0)
        return;
    snprintf(finding->backend, sizeof finding->backend, "%s", pro_loop_backend(loop));
    snprintf(finding->reason, sizeof finding->reason, "%s", pro_loop_backend_reason(loop));
    finding->echo = echoes(loop);
    finding->file = writes_and_reads(loop);
    pro_loop_free(loop);
}

/* Makes a loop on @backend (NULL: the best) where rings of more than @entries are answered with @answer. */
static struct finding refused(int answer, unsigned entries, const char *backend)
{
    struct finding finding = { .code = 1 };
    int ends[2], status = 0;
    pid_t child;

    REQUIRE(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        ssize_t written;

        unsetenv("PROACT_BACKEND");
        if (refuse_rings(answer, entries))
            look(backend, &finding);
        written = write(ends[1], &finding, sizeof finding);
        _exit(written == sizeof finding ? 0 : 1);
    }
    close(ends[1]);
    REQUIRE(child > 0 && read(ends[0], &finding, sizeof finding) == sizeof finding);
    close(ends[0]);
    REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (finding.code == 1)
        SKIP(NULL, "this system lets no process filter its own system calls");
    return finding;
}

/* One sentence: it names the backend and the number, is not cut off, and ends with what to change. */
static void check_sentence(const char *sentence, const char *error, const char *change)
{
    const size_t length = strlen(sentence);

    CHECK(strncmp(sentence, "io_uring: ", 10) == 0);
    CHECK(strstr(sentence, error) != NULL);
    CHECK(strstr(sentence, change) != NULL);
    CHECK(strchr(sentence, '\n') == NULL);
    CHECK(length > 40 && length < sizeof((struct finding *)0)->reason - 1);
    test_note("%s", sentence);
}

static void check_fallback(int answer, const char *error, const char *change)
{
    const struct finding finding = refused(answer, 0, NULL);

    CHECK_EQ(finding.code, PRO_OK);
    CHECK_STR(finding.backend, "epoll");
    CHECK(finding.echo);
    CHECK(finding.file);
    check_sentence(finding.reason, error, change);
}

TEST(a_loop_that_is_refused_io_uring_works_on_epoll_and_says_why)
{
    /* Kills: an error where there is a way out; a way out that nobody is told of; a sentence cut in the middle. */
    check_fallback(ENOSYS, "ENOSYS", "in the profile");
    check_fallback(EPERM, "EPERM",
                   strstr(refused(EPERM, 0, NULL).reason, "io_uring_disabled") ? "allows it" : "policy");
    check_fallback(EACCES, "EACCES", "policy");
    check_fallback(EINVAL, "6.1", "or later has what is needed");
    check_fallback(ENOMEM, "ENOMEM", "ulimit -l");
    check_fallback(EMFILE, "EMFILE", "ulimit -n");
}

TEST(io_uring_that_was_asked_for_by_name_is_not_replaced_and_a_notice_says_why)
{
    /* Kills: another backend behind the caller's back; a bare number. */
    static const struct {
        int answer, code;
        const char *error, *change;
    } cases[] = { { ENOSYS, PRO_E_NOT_SUPPORTED, "ENOSYS", "in the profile" },
                  { EPERM, PRO_E_NOT_SUPPORTED, "EPERM", "allow" },
                  { ENOMEM, PRO_E_NOT_SUPPORTED, "ENOMEM", "ulimit -l" } };
    static const char intro[] = "no loop was made: ";

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct finding finding = refused(cases[i].answer, 0, "io_uring");

        CHECK_EQ(finding.code, cases[i].code);
        CHECK_STR(finding.backend, "");
        CHECK(strncmp(finding.notice, intro, sizeof intro - 1) == 0);
        check_sentence(finding.notice + sizeof intro - 1, cases[i].error, cases[i].change);
    }
}

TEST(with_little_locked_memory_a_loop_takes_a_smaller_ring)
{
    /* Kills: giving up at the first ENOMEM; a smaller ring told as a refusal. */
    const struct finding finding = refused(ENOMEM, 64, NULL);

    if (test_backend_refusal("uring"))
        SKIP("uring", test_backend_refusal("uring"));
    CHECK_EQ(finding.code, PRO_OK);
    CHECK_STR(finding.backend, "io_uring");
    CHECK_STR(finding.reason, "");
    CHECK(finding.echo);
    CHECK(finding.file);
}

TEST(a_backend_that_nobody_has_heard_of_is_refused_by_name)
{
    /* Kills: taking the default instead; a notice that leaves the name out. */
    const struct pro_loop_options options = { .backend = "kqueue" };
    struct finding finding = { .code = 0 };
    struct pro_loop *loop = NULL;

    pro_set_notice_handler(note_notice, &finding);
    CHECK_EQ(pro_loop_new(&options, &loop), PRO_E_NOT_SUPPORTED);
    CHECK(loop == NULL);
    CHECK(strstr(finding.notice, "kqueue") != NULL);
    CHECK(strstr(finding.notice, "io_uring, epoll, sim") != NULL);
}
