/* SPDX-License-Identifier: MIT */
/*
 * Numbers on the command line of faults and storms. A value that is wrong ends
 * the program with status 2 and a message.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

/* The least and the most that a number can be */
struct range {
	unsigned long least, most;
};

/* Gives the decimal number in text. The message calls it `word`. */
unsigned long read_number(const char *text, const char *word,
			  struct range range);

/*
 * Returns whether the word is `option`, such as "--seed=", with or without a
 * value. Without one *ret_number stays as it is: make gives an empty value for a
 * variable that is not set.
 */
bool take_number(const char *word, const char *option, struct range range,
		 unsigned long *ret_number);

#endif
