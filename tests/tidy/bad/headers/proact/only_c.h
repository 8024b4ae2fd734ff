/* SPDX-License-Identifier: MIT */
struct pro_y { int class; };
