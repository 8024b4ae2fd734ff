/* SPDX-License-Identifier: MIT */
#define PRO_GOOD 1
#define PROACT_H
#define OTHER 1
#define await(x) (x)
/*
#define in_a_comment
*/
