/* SPDX-License-Identifier: MIT */
/* TODO: later */
int todo;
/* XXX */
