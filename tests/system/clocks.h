/* SPDX-License-Identifier: MIT */
#ifndef CLOCKS_H
#define CLOCKS_H

/* The monotonic clock. */
long now_us(void);

#endif
