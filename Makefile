# SPDX-License-Identifier: MIT
# spawnfd: make, make install, demo, check, bench. README.md tells more.

VERSION = 0.1

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d

# spawnfd is static, and linked with musl where musl-gcc is installed, because a
# run costs little more than the start of the libc. Distributions use STATIC=0.
STATIC ?= 1
ifeq ($(STATIC) $(SAN),1 )
ifeq ($(origin CC),default)
CC := $(notdir $(or $(shell command -v musl-gcc),cc))
endif
comma := ,
# clang warns of -no-pie. It needs only -static for the same result.
links = $(shell echo 'int main(void) { return 0; }' | \
	$(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo $(1))
link := $(or $(call links,-static -no-pie),$(call links,-static))
# One mapping for code and constants saves three page faults.
link += $(if $(link),$(call links,-Wl$(comma)-z$(comma)noseparate-code))
# A debugger reads the tables of -g. Those to unwind at run time add 16 KiB.
fixed := $(if $(link),-fno-pie -fno-asynchronous-unwind-tables)
endif

# src/answers.c does not compile without the version, so no build can lack it.
define_version = -DSPAWNFD_VERSION='"$(1)"'
version = $(shell sh tests/packaging/version $(VERSION))

# CFLAGS belong to the packager: what the code needs stands apart from them.
CFLAGS ?= -O2 -g
warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef \
	-Wcast-qual -Wwrite-strings -Wpointer-arith
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
sanitizers := $(if $(SAN),$(sanitize))
# 64 bits for inodes and times: glibc on 32-bit processors has a choice.
wide := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
# A text as one word of the shell, whatever its characters are
quote = '$(subst ','\'',$(1))'
# The names of the sources, for a debugger, do not depend on this folder.
anywhere := -ffile-prefix-map=$(call quote,$(CURDIR))=.
compile = $(CC) -std=gnu11 -D_GNU_SOURCE $(wide) $(warnings) $(sanitizers) \
	$(fixed) $(anywhere) $(defines) $(CPPFLAGS) $(CFLAGS)

# A long command is shown as two words, with V=1 as it is, with -s not at all.
ifeq ($(filter 1,$(V))$(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @echo '$(1)';
endif

# SAN=1 builds with the sanitizers, in a folder of its own.
out := .build/$(if $(SAN),san,plain)
binary := $(if $(SAN),$(out)/)spawnfd

# The lowest layer comes first: tests/check/order proves the order.
sources := sys.c step.c text.c clock.c guard.c proc.c fd.c names.c search.c \
	atomic_name.c signals.c vfork.c pid_variables.c job.c exec_file.c \
	table.c value.c pid_file.c write_nowait.c address.c explain.c \
	status.c explain_mistake.c options.c notice.c status_lines.c \
	explain_refusal.c process.c clone_args.c id_map.c child.c \
	listener.c pass.c triggers.c exec_holder.c spawn.c probe.c \
	receive.c waker.c group_leader.c hold_target.c hold_tree.c \
	fallback.c hold_group.c hold_ending.c diagnose.c hold_rest.c \
	hold_stop.c hold_forward.c hold.c init.c launch.c probe_option.c \
	answers.c messages.c source.c sink.c main.c
objects := $(sources:%.c=$(out)/%.o)

all: $(binary)

$(binary): $(objects)
	$(call say,LD $@)$(CC) $(sanitizers) $(CFLAGS) $(LDFLAGS) $(link) \
		-o $@ $(objects) $(LDLIBS)
	@sh tests/check/binary $@ '$(link)' $(CC) $(CPPFLAGS)

$(out)/%.o: src/%.c $(out)/command
	$(call say,CC $(@F))$(compile) -MMD -MP -c -o $@ $<

# When the command changes, this file does, and everything is compiled again.
# When the version changes, only answers.c is: "private" keeps the option out of
# the command.
print = printf '%s\n' $(call quote,$(1))
keep = @mkdir -p $(@D); $(print) | cmp -s - $@ || $(print) >$@
$(out)/command: FORCE
	$(call keep,$(compile) $(link))
$(out)/version: FORCE
	$(call keep,$(version))
$(out)/answers.o: $(out)/version
$(out)/answers.o: private defines = $(call define_version,$(version))

-include $(objects:.o=.d)

installed_binary = $(call quote,$(DESTDIR)$(BINDIR)/spawnfd)
installed_man = $(call quote,$(DESTDIR)$(MANDIR)/man1/spawnfd.1)
installed_flags = $(call quote,$(DESTDIR)$(MANDIR)/man7/clone3_flags.7)
installed_bash = $(call quote,$(DESTDIR)$(BASHCOMPDIR)/spawnfd)
installed_zsh = $(call quote,$(DESTDIR)$(ZSHCOMPDIR)/_spawnfd)
installed_fish = $(call quote,$(DESTDIR)$(FISHCOMPDIR)/spawnfd.fish)

# A binary that exists is installed as it is, however it was made. But after git
# pull, a binary of older sources must not get the new manual.
newer = $(firstword $(shell find src -type f -newer $(binary)))
install: $(if $(wildcard $(binary)),,$(binary))
	@$(if $(newer),echo 'make install: $(binary) is older than' \
		'$(newer): run make first' >&2; exit 1)
	install -D -m 755 $(binary) $(installed_binary)
	install -D -m 644 man/spawnfd.1 $(installed_man)
	install -D -m 644 man/clone3_flags.7 $(installed_flags)
	install -D -m 644 completions/spawnfd.bash $(installed_bash)
	install -D -m 644 completions/_spawnfd $(installed_zsh)
	install -D -m 644 completions/spawnfd.fish $(installed_fish)

# Folders stay, for other programs may use them.
uninstall:
	rm -f $(installed_binary) $(installed_man) $(installed_flags) \
		$(installed_bash) $(installed_zsh) $(installed_fish)

# The folder of the programs that run in a test kernel. tests/system/wrapper.c
# explains the wrappers, which are variants of spawnfd.
at := .build
wrappers := $(patsubst %,$(at)/%/spawnfd,fallback filtered tree tree-of-user)

# tests/setup may install another compiler, so a new make has to choose it.
demo:
	@sh tests/setup demo
	@$(MAKE) --no-print-directory -s all
	@sh tests/demo/demo all

replays := $(patsubst tests/fuzz/%.c,.build/replay/%, \
	$(filter-out %/replay.c,$(wildcard tests/fuzz/*.c)))

# These two run tests without installing anything: all of them, or those that
# match TESTS, such as '*/receive*', or those of FILE, such as die_with_fd. The
# system tests run in KERNEL, a word of tests/kernel/run, and try VARIANT: san,
# or one of the wrappers.
unit: .build/unit
	@.build/unit $${TESTS:+--filter "$$TESTS"}
system: $(if $(filter arm64,$(KERNEL)),arm64,programs) \
	$(filter .build/san/spawnfd,$(VARIANT:%=.build/%/spawnfd))
	@SPAWNFD_FILE=$(basename $(notdir $(FILE))) \
		$(if $(VARIANT),SPAWNFD_VARIANT=$(VARIANT)) \
		tests/kernel/run .build/system $${TESTS:+--filter "$$TESTS"}
ifeq ($(SAN),)
.build/san/spawnfd: FORCE
	@$(MAKE) --no-print-directory SAN=1
endif

programs: all $(at)/system $(at)/actor $(wrappers)
	@:

# KERNEL=arm64 has programs of its own: tests/kernel/init puts .build/arm64 in
# place of .build. The tests are linked with the libraries of the Debian there.
arm64: all
	@root=$$(tests/kernel/fetch arm64-root) && include=$$root/usr/include && \
		lib=$$root/usr/lib/aarch64-linux-gnu && \
		$(MAKE) --no-print-directory at=.build/arm64 SAN= \
		out=.build/arm64/plain binary=.build/arm64/spawnfd \
		CC=aarch64-linux-gnu-gcc test_cc="aarch64-linux-gnu-gcc \
		--sysroot='$$root' -B'$$lib/' -L'$$lib' \
		-isystem '$$include/aarch64-linux-gnu' -isystem '$$include'" \
		programs

check check-kernels:
	@sh tests/setup check
	@$(MAKE) --no-print-directory -s programs .build/unit \
		.build/san/spawnfd .build/storms $(replays) \
		$(if $(filter x86_64,$(shell uname -m)),.build/faults)
	@sh tests/check/$@
check-long:
	@sh tests/setup check
	@sh tests/setup fuzzer
	@sh tests/setup arm64 || :
	@$(MAKE) --no-print-directory -s all .build/faults
	@sh tests/check/$@
check-receivers:
	@sh tests/setup receivers
	@$(MAKE) --no-print-directory -s all
	@sh tests/check/$@
check-packages:
	@sh tests/setup packages
	@$(MAKE) --no-print-directory -s all
	@sh tests/check/$@

# Each call of spawnfd fails once, or is followed by a signal once:
# tests/faults/faults.h. LIMIT=N tries N of all, chosen by SEED=S; TESTS is a
# glob over the modes.
check-faults check-moments: all .build/faults
	@tests/kernel/run .build/faults --kind=$(@:check-%=%) \
		--modes=$(call quote,$(TESTS)) \
		--limit=$(call quote,$(LIMIT)) --seed=$(call quote,$(SEED))

check-peers: all
	@sh tests/setup bench-peers
	@PATH="/run/spawnfd:$$PATH" && export PATH && \
		tests/kernel/run python3 tests/peers/fates.py check

# Kills RUNS runs of spawnfd at random moments, and a quarter as many trees and
# passes; then sends signals to a holder for SECONDS: tests/storms/storms.h.
check-storms: all .build/storms
	@tests/kernel/run .build/storms --seed=$(call quote,$(SEED)) \
		--runs=$(call quote,$(or $(RUNS),2000)) \
		--signals=$(call quote,$(or $(SECONDS),10))

bench: all .build/bench/driver .build/bench/noop
	@sh tests/bench/bench
# A test kernel cannot open so many files of the tree, hence the copies.
bench-scale: all .build/bench/scale .build/bench/noop
	@at=$$(mktemp -d) && cp spawnfd .build/bench/noop $$at && \
		.build/bench/scale $$at/spawnfd $$at/noop $(BENCH_MOST); \
		status=$$?; rm -r $$at; exit $$status
bench-peers:
	@sh tests/setup $@

# The tests are ordinary programs for the ordinary compiler.
test_cc := cc
test_compile = $(test_cc) -std=gnu11 -D_GNU_SOURCE $(warnings) \
	-Wno-write-strings -Wno-missing-field-initializers -g -iquote src

# Without Criterion, the compiler would complain of each file.
need_criterion = @$(test_cc) -E -x c -include criterion/criterion.h /dev/null \
	>/dev/null 2>&1 || { echo '$@ needs Criterion, which' \
	'"sh tests/setup check" installs' >&2; exit 1; }

.build/unit: $(wildcard tests/unit/*.[ch] src/*.[ch])
	$(need_criterion)
	@mkdir -p $(@D)
	$(call say,CC $@)$(test_compile) $(sanitize) \
		$(call define_version,$(VERSION)) -o $@ \
		$(filter-out %/main.c,$(filter %.c,$^)) -lcriterion

$(at)/system: $(filter-out %/actor.c %/actor_tree.c %/wrapper.c, \
	$(wildcard tests/system/*.[ch]))
	$(need_criterion)
	@mkdir -p $(@D)
	$(call say,CC $@)$(test_compile) -o $@ $(filter %.c,$^) -lcriterion

# Each harness of tests/fuzz is two programs: one tries files, and the other is
# libFuzzer, which is a part of clang.
harness_objects = $(patsubst %.c,$(1)/%.o,$(filter-out main.c,$(sources)))
.build/replay/%: tests/fuzz/%.c tests/fuzz/replay.c tests/fuzz/fuzz.h \
		.build/san/spawnfd
	@mkdir -p $(@D)
	$(call say,CC $@)$(test_compile) $(sanitize) -o $@ $(filter %.c,$^) \
		$(call harness_objects,.build/san)
ifeq ($(SAN),)
.build/fuzzer/%: tests/fuzz/%.c tests/fuzz/fuzz.h .build/fuzzer/spawnfd
	$(call say,CC $@)$(test_compile:cc=clang) $(sanitize) \
		-fsanitize=fuzzer -o $@ $(filter %.c,$^) \
		$(call harness_objects,.build/fuzzer)
.build/fuzzer/spawnfd: FORCE
	@$(MAKE) --no-print-directory SAN=1 CC=clang out=$(@D) binary=$@ \
		CFLAGS='-O2 -g -fsanitize=fuzzer-no-link'
endif

$(at)/actor: tests/system/actor.c tests/system/actor_tree.c \
	tests/system/actor.h
$(wrappers): tests/system/wrapper.c tests/system/hide_clone3.h
$(at)/actor $(wrappers):
	@mkdir -p $(@D)
	$(call say,CC $@)$(test_compile) -static -o $@ $(filter %.c,$^)

.build/faults: $(wildcard tests/faults/*.[ch]) tests/system/patience.c \
		tests/system/patience.h tests/system/hide_clone3.h
	@mkdir -p $(@D)
	$(call say,CC $@)$(test_compile) -static -o $@ $(filter %.c,$^)

.build/storms: $(wildcard tests/storms/*.[ch]) tests/system/patience.c \
		tests/system/patience.h tests/faults/number.c \
		tests/faults/number.h
	@mkdir -p $(@D)
	$(call say,CC $@)$(test_compile) -static -o $@ $(filter %.c,$^)

.build/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,CC $@)$(test_compile:cc=$(CC)) -static -o $@ $<

# A tarball of the commit that is checked out; its name is printed.
dist:
	@sh tests/packaging/dist $(version)
# Static binaries of all processors, or of MACHINES='x86_64 riscv64'
dist-bin:
	@sh tests/packaging/dist-bin $(version) $(MACHINES)

print-sources: ; @echo $(sources)

clean:
	rm -rf .build spawnfd

.PHONY: all install uninstall demo unit system programs arm64 check \
	check-kernels check-long check-peers check-receivers check-faults \
	check-moments check-storms check-packages bench bench-scale \
	bench-peers dist dist-bin print-sources clean FORCE
.DELETE_ON_ERROR:
FORCE:
