/* SPDX-License-Identifier: MIT */
/* The table from errno to enum pro_err. */
#include "harness.h"
#include "platform.h"

#include <errno.h>

enum { ERRNO_MOST = 133 };

/* What no operation of ours can answer, or what has no code of its own. */
static bool may_be_unmapped(int native)
{
    static const int listed[] = { EINTR,       ESRCH,       ENOEXEC,  ECHILD,       EXDEV,           EPROTO,  ENOKEY,
                                  EKEYEXPIRED, EKEYREVOKED, ENOMSG,   EIDRM,        ENODATA,         ENOSR,   ENOSTR,
                                  EBADMSG,     EOWNERDEAD,  ERFKILL,  EHWPOISON,    ENOLCK,          EBADE,   EBADR,
                                  EXFULL,      ENOANO,      EBADRQC,  EKEYREJECTED, ENOTRECOVERABLE, EBADSLT, EBFONT,
                                  ENOPKG,      EREMOTE,     ENOLINK,  EADV,         ESRMNT,          ECOMM,   EMULTIHOP,
                                  EDOTDOT,     ENOTUNIQ,    EREMCHG,  ELIBACC,      ELIBBAD,         ELIBSCN, ELIBMAX,
                                  ELIBEXEC,    ERESTART,    ESTRPIPE, ETOOMANYREFS, ENOTNAM,         ENAVAIL, EISNAM,
                                  ECHRNG,      EL2NSYNC,    EL3HLT,   EL3RST,       ELNRNG,          EUNATCH, ENOCSI,
                                  EL2HLT };

    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        if (listed[i] == native)
            return true;
    return native == 41 || native == 58; /* numbers that Linux never gave out */
}

TEST(every_errno_has_a_code_unless_it_is_listed_here)
{
    /* Kills: a line lost from the table; a code that means "no error". */
    for (int native = 1; native <= ERRNO_MOST; native++) {
        const int code = proi_error_from_native(native);

        CHECK(code < 0 && code >= PRO_E_FAILED);
        if ((code == PRO_E_FAILED) != may_be_unmapped(native))
            test_fail(__FILE__, __LINE__, "errno %d (%s) is %s", native, strerror(native), pro_err_name(code));
    }
    CHECK_EQ(proi_error_from_native(0), PRO_OK);
    CHECK_EQ(proi_error_from_native(ERRNO_MOST + 1), PRO_E_FAILED);
}

TEST(errors_that_programs_decide_upon_have_their_own_codes)
{
    /* Kills: two lines of the table swapped. */
    static const struct {
        int native, code;
    } expected[] = {
        { ECONNREFUSED, PRO_E_REFUSED },   { ECONNRESET, PRO_E_RESET },      { EPIPE, PRO_E_PIPE },
        { EADDRINUSE, PRO_E_IN_USE },      { ENOENT, PRO_E_NOT_FOUND },      { EEXIST, PRO_E_EXISTS },
        { EISDIR, PRO_E_IS_DIRECTORY },    { ENOSPC, PRO_E_NO_SPACE },       { EMFILE, PRO_E_TOO_MANY_FILES },
        { EACCES, PRO_E_ACCESS },          { ECANCELED, PRO_E_CANCELED },    { ENOMEM, PRO_E_NO_MEMORY },
        { ENOTCONN, PRO_E_NOT_CONNECTED }, { EADDRNOTAVAIL, PRO_E_ADDRESS }, { ENETUNREACH, PRO_E_UNREACHABLE },
        { EROFS, PRO_E_READ_ONLY },        { EBADF, PRO_E_BAD_HANDLE },      { ECONNABORTED, PRO_E_ABORTED },
    };

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        CHECK_EQ(proi_error_from_native(expected[i].native), expected[i].code);
}

TEST(native_message_is_the_systems_and_is_cut_to_the_room_there_is)
{
    /* Kills: a message written past its end. */
    char text[64], small[8];

    proi_native_message(ENOENT, text, sizeof text);
    CHECK_STR(text, strerror(ENOENT));
    proi_native_message(ENOENT, small, sizeof small);
    CHECK_EQ(strlen(small), sizeof small - 1);
}
