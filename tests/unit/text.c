/* SPDX-License-Identifier: MIT */
/* text: nothing overflows, and no word breaks a line */
#include "text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(text, adds_up)
{
	struct text text = { 0 };

	text_add(&text, "%s-%d", "a", 1);
	text_add(&text, "+");
	cr_expect_str_eq(text.bytes, "a-1+");
	cr_expect_eq(text.length, 4);
}

Test(text, cuts_off_what_does_not_fit)
{
	struct text text = { 0 };

	for (size_t i = 0; i < sizeof(text.bytes); i++)
		text_add(&text, "%s", "xy");
	cr_expect_eq(text.length, sizeof(text.bytes) - 1);
	cr_expect_eq(strlen(text.bytes), text.length);
}

Test(text, words_stay_on_their_line)
{
	struct text text = { 0 };

	text_add_word(&text, "a\nb\tc\033[1m\177\303\251");
	cr_expect_str_eq(text.bytes, "a?b?c?[1m?\303\251");
	text = (struct text){ 0 };
	/* U+009B is the two bytes ESC [ in one character; U+00A0 is none. */
	text_add_word(&text, "\302\23331m\302\240\302");
	cr_expect_str_eq(text.bytes, "??31m\302\240?");
	text = (struct text){ 0 };
	/* Some terminals take the one byte for it as well. */
	text_add_word(&text, "\23331m\303\251");
	cr_expect_str_eq(text.bytes, "?31m\303\251");
}

Test(text, an_empty_word_is_seen)
{
	struct text text = { 0 };

	text_add_word(&text, "");
	cr_expect_str_eq(text.bytes, "''");
}

Test(text, long_words_leave_room)
{
	static char word[100000];
	struct text text = { 0 };

	memset(word, 'w', sizeof(word) - 1);
	text_add_word(&text, word);
	text_add(&text, ": why\n");
	cr_expect_str_eq(text.bytes + 4096, "...: why\n");
}

Test(text, json_is_utf8)
{
	const struct {
		const char *word, *json;
	} cases[] = {
		{ "", "\"\"" }, { "a b", "\"a b\"" },
		{ "\"\\/", "\"\\\"\\\\/\"" },
		{ "\001\037\177", "\"\\u0001\\u001f\\u007f\"" },
		{ "\302\200\302\237\302\240",
		  "\"\\u0080\\u009f\302\240\"" },
		{ "\302\251 \342\202\254 \360\237\230\200",
		  "\"\302\251 \342\202\254 \360\237\230\200\"" },
		/*
		 * Not UTF-8: a stray byte, an overlong form, a surrogate, a
		 * character that is cut off, a code beyond U+10FFFF
		 */
		{ "\200x", "\"\\ufffdx\"" },
		{ "\300\200", "\"\\ufffd\\ufffd\"" },
		{ "\355\240\200", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\342\202", "\"\\ufffd\\ufffd\"" },
		{ "\364\220\200\200",
		  "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text text = { 0 };

		text_add_json(&text, cases[i].word);
		cr_expect_str_eq(text.bytes, cases[i].json);
	}
}

Test(text, long_json_fits_into_a_pipe)
{
	static char word[100000];
	struct text text = { 0 };

	memset(word, 1, sizeof(word) - 1);
	text_add_json(&text, word);
	cr_expect_lt(text.length, 4000);
	cr_expect_eq(text.bytes[text.length - 1], '"');
}
