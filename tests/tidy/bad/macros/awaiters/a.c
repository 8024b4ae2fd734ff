/* SPDX-License-Identifier: MIT */
#define min(a) a
#define OWN 1
