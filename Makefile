# pgwinnow: `make help` lists the targets.
#
# BUILD is where everything goes (build/), WERROR=1 turns warnings into errors, CC may be gcc or clang.

# The floors, lowest first: a file may include its own floor and the ones before it (`make floors`).
FLOORS = base plan wire script database state events work steps engine commands

# The outside libraries that belong to one file each: header=file.
LIBRARY_HOMES = libpq-fe.h=runner/wire/slot.c yaml.h=runner/plan/tree.c

MODULES      = libpq yaml-0.1 jansson libcrypto
TEST_MODULES = cmocka

BUILD  ?= build
CC     ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 600
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)

CLANG    := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
# Level 2 looks into headers too: a statement of a .sql file that nothing uses is a warning.
WARNINGS := -Wall -Wextra -Wpedantic $(if $(CLANG),,-Wunused-const-variable=2) $(if $(WERROR),-Werror)
COMPILE  := $(CC) -std=c17 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) $(CPPFLAGS) -I runner -I $(BUILD) \
            $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
LINK     := $(CC) $(CFLAGS) $(LDFLAGS)
LIBRARIES := $(shell pkg-config --libs $(MODULES) 2>/dev/null)

SOURCES := $(wildcard runner/main.c runner/*/*.c runner/*/*/*.c)
HEADERS := $(wildcard runner/*/*.h runner/*/*/*.h)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
SQL     := $(wildcard runner/*/*.sql runner/*/*/*.sql)
SQL_HEADERS := $(SQL:runner/%=$(BUILD)/sql/%.h)
ARCHIVE := $(BUILD)/runner.a
UNIT    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
DB      := $(wildcard tests/db/*.t)
PROVE    = prove --timer --jobs $(JOBS) --exec ''

all: $(BUILD)/pgwinnow  ## build the program (build/pgwinnow)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

# --- building

$(BUILD)/pgwinnow: $(OBJECTS)
	$(LINK) -o $@ $^ $(LIBRARIES)

$(BUILD)/%.o: %.c $(BUILD)/flags | $(SQL_HEADERS)
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/sql/%.sql.h: runner/%.sql runner/database/sql.awk
	@mkdir -p $(@D)
	@awk -v file=$< -f runner/database/sql.awk $< > $@.new && mv $@.new $@

# Tests are linked with everything but main.
$(ARCHIVE): $(filter-out $(BUILD)/runner/main.o,$(OBJECTS))
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/tests/unit/%: tests/unit/%.c $(ARCHIVE) $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(shell pkg-config --cflags $(TEST_MODULES) 2>/dev/null) -MMD -MP -o $@ $< $(ARCHIVE) \
	    $(LDFLAGS) $(LIBRARIES) $(shell pkg-config --libs $(TEST_MODULES) 2>/dev/null)

# Everything is built again when the compiler or its flags change.
$(BUILD)/flags: always
	@pkg-config --print-errors --exists $(MODULES) || \
	    { echo 'Libraries are missing: `tests/install-missing build` installs them on Debian and Ubuntu.' >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(COMPILE)' | cmp -s - $@ || echo '$(COMPILE)' > $@

-include $(OBJECTS:.o=.d) $(UNIT:=.d)

.DELETE_ON_ERROR:
.PHONY: always all help
