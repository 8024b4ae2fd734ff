/* SPDX-License-Identifier: MIT */
#ifdef _WIN32
#endif
