/* SPDX-License-Identifier: MIT */
#if 1
#elif defined(__linux__) && 1
#endif
/* #ifdef _WIN32 */
