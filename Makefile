# SPDX-License-Identifier: MIT
# spawnfd: make, make install, demo, check, bench; README.md tells more.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man

# Static, and against musl where it is installed: the start of the libc is
# nearly all that a run costs. STATIC=0 is for distributions.
STATIC ?= 1
ifeq ($(STATIC) $(SAN),1 )
ifeq ($(origin CC),default)
CC := $(notdir $(or $(shell command -v musl-gcc),cc))
endif
comma := ,
# clang knows -static alone, and makes the same of it
links = $(shell echo 'int main(void) { return 0; }' | \
	$(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo $(1))
link := $(or $(call links,-static -no-pie),$(call links,-static))
# Code and constants in one mapping: three page faults less
link += $(if $(link),$(call links,-Wl$(comma)-z$(comma)noseparate-code))
endif

# What the code needs stands apart from CFLAGS, which are the packager's
CFLAGS ?= -O2 -g
warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef \
	-Wcast-qual -Wwrite-strings -Wpointer-arith
ifneq ($(SAN),)
sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all
endif
# 64 bits for inodes and times where a libc offers that: glibc on 32 bits
wide := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
compile = $(CC) -std=gnu11 -D_GNU_SOURCE $(wide) $(warnings) $(sanitizers) \
	$(if $(link),-fno-pie) $(CPPFLAGS) $(CFLAGS)

# SAN=1 is a build beside the other one
out := .build/$(if $(SAN),san,plain)
binary := $(if $(SAN),$(out)/)spawnfd

# In the order of the layers, lowest first; tests/check/layers proves it
sources := sys.c text.c clock.c names.c search.c place.c signals.c vfork.c \
	table.c value.c pid_file.c nowait.c address.c explain.c status.c \
	options.c clone_args.c notice.c child.c listener.c pass.c ends.c \
	spawn.c hold.c probe.c receive.c fallback.c init.c report.c tell.c \
	main.c
objects := $(sources:%.c=$(out)/%.o)

all: $(binary)

$(binary): $(objects)
	$(CC) $(sanitizers) $(CFLAGS) $(LDFLAGS) $(link) -o $@ $(objects) \
		$(LDLIBS)
	@sh tests/check/binary $@ '$(link)' $(CC) $(CPPFLAGS)

$(out)/%.o: src/%.c $(out)/command
	$(compile) -MMD -MP -c -o $@ $<

# Changes, and makes everything again, when the command does
$(out)/command: FORCE
	@mkdir -p $(@D)
	@echo '$(compile) $(link)' | cmp -s - $@ || \
		echo '$(compile) $(link)' > $@

-include $(objects:.o=.d)

# What is there is installed as it is, however it was made
install: $(if $(wildcard $(binary)),,$(binary))
	install -D -m 755 $(binary) "$(DESTDIR)$(BINDIR)/spawnfd"
	install -D -m 644 man/spawnfd.1 "$(DESTDIR)$(MANDIR)/man1/spawnfd.1"
	install -D -m 644 completions/spawnfd.bash \
		"$(DESTDIR)$(DATADIR)/bash-completion/completions/spawnfd"
	install -D -m 644 completions/_spawnfd \
		"$(DESTDIR)$(DATADIR)/zsh/site-functions/_spawnfd"
	install -D -m 644 completions/spawnfd.fish \
		"$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/spawnfd.fish"

# See tests/system/wrapper.c
wrappers := $(patsubst %,.build/%/spawnfd,fallback filtered tree tree-of-user)

# Setting up may bring the compiler that is to be used: make begins anew
demo:
	@sh tests/setup demo
	@$(MAKE) --no-print-directory -s all
	@sh tests/kernel/run sh tests/demo/demo
	@sh tests/demo/demo here

check check-kernels:
	@sh tests/setup check
	@$(MAKE) --no-print-directory -s all .build/unit .build/system \
		.build/actor $(wrappers)
	@$(MAKE) --no-print-directory -s SAN=1
	@sh tests/check/$@

check-receivers:
	@sh tests/setup receivers
	@$(MAKE) --no-print-directory -s all
	@sh tests/check/$@

bench: all .build/bench/driver .build/bench/noop
	@sh tests/bench/bench
# Out of the tree, for of that a test kernel cannot open so many files
bench-scale: all .build/bench/scale .build/bench/noop
	@at=$$(mktemp -d) && cp spawnfd .build/bench/noop $$at && \
		.build/bench/scale $$at/spawnfd $$at/noop $(BENCH_MOST); \
		status=$$?; rm -r $$at; exit $$status
bench-peers:
	@sh tests/setup $@

# The tests are ordinary programs, so the compiler is the ordinary one
test_compile = cc -std=gnu11 -D_GNU_SOURCE $(warnings) -Wno-write-strings \
	-Wno-missing-field-initializers -g -iquote src

.build/unit: $(wildcard tests/unit/*.c src/*.[ch])
	@mkdir -p $(@D)
	$(test_compile) -fsanitize=address,undefined -fno-sanitize-recover=all \
		-o $@ $(filter-out %/main.c,$(filter %.c,$^)) -lcriterion

.build/system: $(filter-out %/actor.c %/wrapper.c,$(wildcard tests/system/*.[ch]))
	@mkdir -p $(@D)
	$(test_compile) -o $@ $(filter %.c,$^) -lcriterion

.build/actor: tests/system/actor.c
$(wrappers): tests/system/wrapper.c
.build/actor $(wrappers):
	@mkdir -p $(@D)
	$(test_compile) -static -o $@ $<

.build/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(test_compile:cc=$(CC)) -static -o $@ $<

clean:
	rm -rf .build spawnfd

.PHONY: all install demo check check-kernels check-receivers bench bench-scale \
	bench-peers clean FORCE
.DELETE_ON_ERROR:
FORCE:
