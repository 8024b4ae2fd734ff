/* SPDX-License-Identifier: MIT */
/* Linux: errno to enum pro_err. What is not here is PRO_E_FAILED; the native number says what it was. */
#include "platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int native, code;
} table[] = {
    { EINVAL, PRO_E_INVALID },
    { EFAULT, PRO_E_INVALID },
    { EDOM, PRO_E_INVALID },
    { ERANGE, PRO_E_INVALID },
    { EISCONN, PRO_E_STATE },
    { ENOMEM, PRO_E_NO_MEMORY },
    { ENOBUFS, PRO_E_NO_MEMORY },
    { ECANCELED, PRO_E_CANCELED },
    { ETIMEDOUT, PRO_E_TIMEOUT },
    { ETIME, PRO_E_TIMEOUT },
    { EDEADLK, PRO_E_DEADLOCK },
    { ENOSYS, PRO_E_NOT_SUPPORTED },
    { EOPNOTSUPP, PRO_E_NOT_SUPPORTED },
    { EAFNOSUPPORT, PRO_E_NOT_SUPPORTED },
    { EPFNOSUPPORT, PRO_E_NOT_SUPPORTED },
    { EPROTONOSUPPORT, PRO_E_NOT_SUPPORTED },
    { ESOCKTNOSUPPORT, PRO_E_NOT_SUPPORTED },
    { EPROTOTYPE, PRO_E_NOT_SUPPORTED },
    { ENOPROTOOPT, PRO_E_NOT_SUPPORTED },
    { ENOTTY, PRO_E_NOT_SUPPORTED },
    { EAGAIN, PRO_E_BUSY },
    { EBUSY, PRO_E_BUSY },
    { ETXTBSY, PRO_E_BUSY },
    { EINPROGRESS, PRO_E_BUSY },
    { EALREADY, PRO_E_BUSY },
    { EUSERS, PRO_E_BUSY },
    { ECONNREFUSED, PRO_E_REFUSED },
    { ECONNRESET, PRO_E_RESET },
    { ENETRESET, PRO_E_RESET },
    { ECONNABORTED, PRO_E_ABORTED },
    { EPIPE, PRO_E_PIPE },
    { ESHUTDOWN, PRO_E_PIPE },
    { ENOTCONN, PRO_E_NOT_CONNECTED },
    { EDESTADDRREQ, PRO_E_NOT_CONNECTED },
    { EADDRINUSE, PRO_E_IN_USE },
    { EADDRNOTAVAIL, PRO_E_ADDRESS },
    { EHOSTUNREACH, PRO_E_UNREACHABLE },
    { ENETUNREACH, PRO_E_UNREACHABLE },
    { EHOSTDOWN, PRO_E_UNREACHABLE },
    { ENETDOWN, PRO_E_UNREACHABLE },
    { ENONET, PRO_E_UNREACHABLE },
    { ENOENT, PRO_E_NOT_FOUND },
    { ENOTDIR, PRO_E_NOT_FOUND }, /* "file/name": Windows says path not found */
    { ENODEV, PRO_E_NOT_FOUND },
    { ENXIO, PRO_E_NOT_FOUND },
    { ENOMEDIUM, PRO_E_NOT_FOUND },
    { EEXIST, PRO_E_EXISTS },
    { ENOTEMPTY, PRO_E_EXISTS },
    { EACCES, PRO_E_ACCESS },
    { EPERM, PRO_E_ACCESS },
    { EISDIR, PRO_E_IS_DIRECTORY },
    { ENOSPC, PRO_E_NO_SPACE },
    { EDQUOT, PRO_E_NO_SPACE },
    { EMFILE, PRO_E_TOO_MANY_FILES },
    { ENFILE, PRO_E_TOO_MANY_FILES },
    { EMLINK, PRO_E_TOO_MANY_FILES },
    { EFBIG, PRO_E_TOO_LARGE },
    { EMSGSIZE, PRO_E_TOO_LARGE },
    { EOVERFLOW, PRO_E_TOO_LARGE },
    { E2BIG, PRO_E_TOO_LARGE },
    { EROFS, PRO_E_READ_ONLY },
    { EIO, PRO_E_IO },
    { EREMOTEIO, PRO_E_IO },
    { EMEDIUMTYPE, PRO_E_IO },
    { EUCLEAN, PRO_E_IO },
    { ESTALE, PRO_E_IO },
    { ENAMETOOLONG, PRO_E_NAME },
    { EILSEQ, PRO_E_NAME },
    { ELOOP, PRO_E_NAME },
    { EBADF, PRO_E_BAD_HANDLE },
    { ENOTSOCK, PRO_E_BAD_HANDLE },
    { EBADFD, PRO_E_BAD_HANDLE },
    { ESPIPE, PRO_E_BAD_HANDLE },
    { ENOTBLK, PRO_E_BAD_HANDLE },
};

int proi_error_from_native(int native)
{
    if (native == 0)
        return PRO_OK;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].native == native)
            return table[i].code;
    return PRO_E_FAILED;
}

void proi_native_message(int native, char *ret_text, size_t size)
{
    char buffer[128];

    snprintf(ret_text, size, "%s", strerror_r(native, buffer, sizeof buffer));
}
