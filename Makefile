# pgwinnow: `make help` lists the targets.
#
# BUILD is where everything goes (build/), WERROR=1 turns warnings into errors, CC may be gcc or clang.

# The floors, lowest first: a file may include its own floor and the ones before it (`make floors`).
FLOORS = base plan wire script database state events work steps engine commands

# The outside libraries that belong to one file, or folder, each: header=home.
LIBRARY_HOMES = libpq-fe.h=runner/wire/ curl/curl.h=runner/wire/http.c yaml.h=runner/plan/tree.c \
                lua.h=runner/script/ lauxlib.h=runner/script/ lualib.h=runner/script/

# Lua 5.4 goes by several names.
LUA          := $(firstword $(foreach name,lua5.4 lua-5.4 lua54,$(shell pkg-config --exists $(name) && echo $(name))) lua)
MODULES      = libpq yaml-0.1 jansson libcrypto libcurl $(LUA)
TEST_MODULES = cmocka

BUILD  ?= build
CC     ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 600
# Tests wait more than they work.
JOBS   ?= $(shell echo $$((2 * $$(nproc 2>/dev/null || echo 1))))

CLANG    := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
# Level 2 looks into headers too: a statement of a .sql file that nothing uses is a warning.
WARNINGS := -Wall -Wextra -Wpedantic $(if $(CLANG),,-Wunused-const-variable=2) $(if $(WERROR),-Werror)
COMPILE  := $(CC) -std=c17 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) $(CPPFLAGS) -I runner -I $(BUILD) \
            $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
LINK     := $(CC) $(CFLAGS) $(LDFLAGS)
LIBRARIES      := $(shell pkg-config --libs $(MODULES) 2>/dev/null) -lm
TEST_FLAGS     := $(shell pkg-config --cflags $(TEST_MODULES) 2>/dev/null)
TEST_LIBRARIES := $(shell pkg-config --libs $(TEST_MODULES) 2>/dev/null)

SOURCES := $(wildcard runner/main.c runner/*/*.c runner/*/*/*.c)
HEADERS := $(wildcard runner/*/*.h runner/*/*/*.h)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
SQL     := $(wildcard runner/*/*.sql runner/*/*/*.sql)
SQL_HEADERS := $(SQL:runner/%=$(BUILD)/sql/%.h)
LIBRARY := $(filter-out %_test.lua,$(wildcard lua/*.lua))
ARCHIVE := $(BUILD)/runner.a
UNIT    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
UNIT_SCRIPTS := $(wildcard tests/unit/*.t)
# Those that take a minute or more begin first, so that nothing waits for them at the end.
LONG    := $(patsubst %,tests/db/%.t,throttle connections statements property plans)
DB      := $(LONG) $(filter-out $(LONG),$(wildcard tests/db/*.t))
DB_TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/db/*.c tests/torture/*.c))
BROWSER := $(wildcard tests/browser/*.t)
BROWSER_TOOLS := $(BUILD)/tests/browser/page
CASE_TESTS := $(if $(wildcard tests/cases/*/run),tests/cases/run.sh)
FUZZERS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))

# Sanitized programs, fuzzers among them, and those that count lines, are other builds below this one.
SANITIZE    := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZED    = $(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize CC=clang CFLAGS='-O1 -g $(SANITIZE)'
COVERED      = $(MAKE) --no-print-directory BUILD=$(BUILD)/coverage CFLAGS='-O0 -g --coverage'
SANITIZED_UNIT = $(UNIT:$(BUILD)/%=$(BUILD)/sanitize/%)
BUILT_FUZZERS  = $(FUZZERS:$(BUILD)/%=$(BUILD)/sanitize/%)

# What the tests need to know.
export PGWINNOW   := $(abspath $(BUILD))/pgwinnow
export PGW_TESTS  := $(abspath $(BUILD))/tests
export CMOCKA_MESSAGE_OUTPUT := TAP
export UBSAN_OPTIONS := print_stacktrace=1
PROVE    = prove --timer --jobs $(JOBS) --exec ''
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
INSIDE   = $(MAKE) --no-print-directory $(PARALLEL)

# `make V=1` shows the commands.
SAY = @$(if $(V),,echo '  $(1)';)

all: $(BUILD)/pgwinnow  ## build the program: build/pgwinnow (CC=clang, WERROR=1, V=1)

demo:  ## see it work on a throw-away server; installs what is missing
	@tests/install-missing build server
	@+$(INSIDE) $(BUILD)/pgwinnow
	@tests/with-postgres tests/demo/run

# Make reads pkg-config's answers when it starts, so what is newly installed is for another make inside.
test:  ## all tests, on a throw-away server; installs what is missing
	@tests/install-missing build server test $(if $(FUZZERS),fuzz)
	@+$(INSIDE) floors test-programs
	@FUZZ_SECONDS=6 FUZZ_TARGETS='$(BUILT_FUZZERS)' tests/with-postgres $(PROVE) \
	    $(UNIT) $(UNIT_SCRIPTS) $(SANITIZED_UNIT) $(if $(FUZZERS),tests/fuzz/run.t) $(DB) $(CASE_TESTS) $(BROWSER)

check:  ## what to run before a commit, in seconds: format, floors, unit tests
	@+$(INSIDE) lint floors unit

unit: $(UNIT) $(BUILD)/pgwinnow  ## unit tests, no server
	@$(PROVE) $(UNIT) $(UNIT_SCRIPTS)

db: $(BUILD)/pgwinnow $(DB_TOOLS)  ## tests on a throw-away server (tests/db, tests/cases)
	@tests/with-postgres $(PROVE) $(DB) $(CASE_TESTS)

# Not those that bring servers or poolers of their own, copy databases, need what a pooler does not pass on, or kill runners
# and cannot wait for a lease to go stale.
UNPOOLED = catalog tree partitions connections direct failover network tls pgbouncer statements with-postgres kill undo-kill \
           faults guard-load lanes torture webhooks webhooks-kill watch
POOLED   = $(filter-out $(UNPOOLED:%=tests/db/%.t),$(DB))
pooled: $(BUILD)/pgwinnow $(DB_TOOLS)  ## the same through PgBouncer in transaction mode; long
	@tests/with-postgres tests/with-pgbouncer $(PROVE) $(POOLED) $(CASE_TESTS)

browser:  ## reports in Chromium, which is installed if it is missing; SHOTS=FOLDER keeps pictures
	@tests/install-missing build server test browser
	@+$(INSIDE) $(BUILD)/pgwinnow $(BROWSER_TOOLS)
	@BROWSER_ALL=1 tests/with-postgres prove --verbose --exec '' $(BROWSER)

property: $(BUILD)/pgwinnow  ## random schemas, plans and kills against a model, CASES of them (5000) from SEED (1) on; long
	@CASES=$(or $(CASES),5000) SEED=$(or $(SEED),1) PROPERTY_JOBS=$(JOBS) PROPERTY_KEEP=$(abspath $(BUILD))/property \
	    tests/with-postgres $(PROVE) tests/db/property.t

torture: $(BUILD)/pgwinnow $(DB_TOOLS)  ## cut, kill and restart at every statement of runs, then compare all they leave (PARTS="cuts kills"); long
	@tests/with-postgres tests/torture/run $(PARTS)

servers: $(BUILD)/pgwinnow $(DB_TOOLS)  ## the same on PostgreSQL 14 to 18, from npm (SERVERS="14 18"); long
	@tests/servers $(SERVERS) -- $(PROVE) $(DB) $(CASE_TESTS)

npm-webhooks: $(BUILD)/pgwinnow  ## let the npm packages standardwebhooks and cloudevents judge what is sent
	@tests/with-postgres $(PROVE) --verbose tests/npm/webhooks.t

sanitize: sanitized-programs  ## unit tests under AddressSanitizer and UBSan
	@$(PROVE) $(SANITIZED_UNIT)

fuzz: sanitized-programs  ## fuzz the parsers for FUZZ_SECONDS (600); findings and corpus stay in build/fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_TARGETS='$(BUILT_FUZZERS)' FUZZ_KEEP=$(abspath $(BUILD))/fuzz/found \
	    prove --verbose tests/fuzz/run.t

coverage:  ## lines that unit, db and case tests reach, by file
	@+$(COVERED) $(PARALLEL) unit db
	@tests/coverage $(BUILD)/coverage

bench: $(BUILD)/pgwinnow  ## what things cost, measured on a throw-away server
	@for bench in tests/bench/*; do echo "# $$bench"; tests/with-postgres $$bench || exit 1; done

lint:  ## format of the sources, length of functions and files, shell scripts
	@tests/lint

format:  ## format the sources in place
	@clang-format -i $(SOURCES) $(wildcard tests/*/*.c)

floors:  ## does every file keep to its floor? headers alone, libraries in one file
	@FLOORS='$(FLOORS)' LIBRARY_HOMES='$(LIBRARY_HOMES)' COMPILE='$(COMPILE)' tests/floors

docs: $(BUILD)/docs/print  ## print the tables in docs/ anew from the program's own
	@$(BUILD)/docs/print docs/exit-codes.md docs/commands.md docs/plan-reference.md

install: $(BUILD)/pgwinnow  ## install below PREFIX (/usr/local); DESTDIR is honoured
	install -D -m 755 $(BUILD)/pgwinnow $(DESTDIR)$(PREFIX)/bin/pgwinnow
	install -d $(DESTDIR)$(PREFIX)/share/pgwinnow/plans
	install -m 644 $(wildcard plans/*.yaml) $(DESTDIR)$(PREFIX)/share/pgwinnow/plans
	install -d $(DESTDIR)$(PREFIX)/share/pgwinnow/plans/rules
	install -m 644 $(wildcard plans/rules/*.lua) $(DESTDIR)$(PREFIX)/share/pgwinnow/plans/rules

uninstall:  ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/pgwinnow
	rm -rf $(DESTDIR)$(PREFIX)/share/pgwinnow

clean:  ## remove build/
	rm -rf $(BUILD)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# --- building

test-programs: $(BUILD)/pgwinnow $(UNIT) $(DB_TOOLS) $(BROWSER_TOOLS) sanitized-programs

sanitized-programs:
	@+$(SANITIZED) watched-programs

watched-programs: $(UNIT) $(FUZZERS)

$(BUILD)/pgwinnow: $(OBJECTS)
	$(call SAY,link $@)$(LINK) -o $@ $^ $(LIBRARIES)

$(BUILD)/%.o: %.c $(BUILD)/flags | $(SQL_HEADERS) $(BUILD)/lua/library.h $(BUILD)/report/style.h
	@mkdir -p $(@D)
	$(call SAY,cc   $<)$(COMPILE) -MMD -MP -c -o $@ $<

$(SQL_HEADERS): $(BUILD)/sql/%.sql.h: runner/%.sql runner/database/sql.awk
	@mkdir -p $(@D)
	@awk -v file=$< -f runner/database/sql.awk $< > $@.new && mv $@.new $@

$(BUILD)/report/style.h: runner/commands/report/style.css runner/commands/report/style.awk
	@mkdir -p $(@D)
	@awk -f runner/commands/report/style.awk $< > $@.new && mv $@.new $@

$(BUILD)/lua/library.h: $(LIBRARY) runner/script/library.awk
	@mkdir -p $(@D)
	@awk -f runner/script/library.awk $(LIBRARY) > $@.new && mv $@.new $@

# Tests are linked with everything but main.
$(ARCHIVE): $(filter-out $(BUILD)/runner/main.o,$(OBJECTS))
	@rm -f $@
	@ar rcs $@ $^

$(FUZZERS): EXTRA = -fsanitize=fuzzer
$(UNIT) $(DB_TOOLS) $(BROWSER_TOOLS) $(FUZZERS) $(BUILD)/docs/print: $(BUILD)/%: %.c $(ARCHIVE)
	@mkdir -p $(@D)
	$(call SAY,cc   $<)$(COMPILE) $(TEST_FLAGS) $(EXTRA) -MMD -MP -o $@ $< $(ARCHIVE) $(LDFLAGS) $(LIBRARIES) $(TEST_LIBRARIES)

# Everything is built again when the compiler or its flags change.
$(BUILD)/flags: always
	@pkg-config --print-errors --exists $(MODULES) || \
	    { echo 'Libraries are missing: `tests/install-missing build` installs them on Debian and Ubuntu.' >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(COMPILE)' | cmp -s - $@ || echo '$(COMPILE)' > $@

-include $(OBJECTS:.o=.d) $(UNIT:=.d) $(DB_TOOLS:=.d) $(BROWSER_TOOLS:=.d) $(FUZZERS:=.d)

.DELETE_ON_ERROR:
.PHONY: always all demo test check unit db browser pooled property torture servers sanitize fuzz coverage bench lint format floors docs install uninstall clean help npm-webhooks \
        test-programs sanitized-programs watched-programs
