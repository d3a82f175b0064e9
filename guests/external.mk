# SPDX-License-Identifier: Apache-2.0
#
# Builds one guest from sources anywhere, with the runtime of its mode:
#   GUEST           the ELF file to write
#   SOURCES         C, C++ and assembler sources (.c .cc .cpp .cxx .S)
#   MODE            general (default) or sse
#   GUEST_CPPFLAGS  include paths and macros
#   GUEST_CFLAGS, GUEST_CXXFLAGS  further options for C and for C++
# Relative paths, also those of -I, start where make was called. No path may
# contain a space.

MODE = general
CXX = g++
CALLER := $(or $(PWD),$(CURDIR))
here = $(if $(filter /%,$(1)),$(1),$(CALLER)/$(1))

external_elf := $(abspath $(call here,$(GUEST)))
external_sources := $(foreach source,$(SOURCES),$(abspath $(call here,$(source))))
external_objects := $(external_sources:%=$(BUILD)/external/$(MODE)%.o)
external_cxx := $(filter %.cc %.cpp %.cxx,$(external_sources))
external_support := external/constructors.c $(if $(external_cxx),external/operators.cc)

$(if $(external_sources),,$(error GUEST is set but SOURCES is not: name the sources of $(GUEST)))
$(if $(MODE_$(MODE)),,$(error MODE is $(MODE); it must be general or sse))
$(foreach source,$(external_sources),$(if $(filter %.c %.cc %.cpp %.cxx %.S,$(source)),, \
	$(error $(source) is neither C, C++ nor assembler (.c .cc .cpp .cxx .S))))

# The directories whose paths could get into the guest through __FILE__: those of
# the sources and of the included files. The last one that fits is replaced.
external_cppflags := $(foreach option,$(GUEST_CPPFLAGS), \
	$(if $(filter -I%,$(option)),-I$(abspath $(call here,$(option:-I%=%))),$(option)))
external_paths := $(sort $(patsubst -I%,%,$(filter -I%,$(external_cppflags))) $(patsubst %/,%,$(dir $(external_sources))))
external_maps := $(foreach path,$(CALLER) $(external_paths),-ffile-prefix-map=$(path)=.)

external_common = $(CPPFLAGS) $(filter-out -Werror -std=%,$(CFLAGS)) $(MODE_$(MODE)) $(external_maps)
external_cxxflags = -std=gnu++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics -Drestrict=__restrict__
external_main = -Dhyperlight_main=hl_guest_main

guest: $(external_elf)

$(BUILD)/external/$(MODE)/%.c.o: /%.c FORCE
	@mkdir -p $(@D)
	$(CC) $(external_common) -std=gnu17 $(external_main) $(external_cppflags) $(GUEST_CFLAGS) -c $< -o $@

define external_cxx_rule
$(BUILD)/external/$(MODE)/%.$(1).o: /%.$(1) FORCE
	@mkdir -p $$(@D)
	$(CXX) $$(external_common) $$(external_cxxflags) $$(external_main) $$(external_cppflags) $$(GUEST_CXXFLAGS) -c $$< -o $$@
endef
$(foreach suffix,cc cpp cxx,$(eval $(call external_cxx_rule,$(suffix))))

$(BUILD)/external/$(MODE)/%.S.o: /%.S FORCE
	@mkdir -p $(@D)
	$(CC) $(external_common) $(external_cppflags) -c $< -o $@

# What all such guests are linked with besides the runtime keeps to its rules.
$(BUILD)/$(MODE)/external/%.cc.o: external/%.cc Makefile
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(filter-out -std=%,$(CFLAGS)) $(external_cxxflags) $(MODE_$(MODE)) -c $< -o $@

$(external_elf): $(call objects,$(MODE),$(RUNTIME_SOURCES) $(external_support)) $(external_objects) runtime/guest.ld external/constructors.ld
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -Wl,-T,external/constructors.ld -Wl,-T,runtime/guest.ld -o $@ $(filter %.o,$^)
	@for path in $(filter-out /,$(CALLER) $(external_paths)); do \
		if grep -qaF "$$path/" $@; then \
			echo "$@ contains the path $$path: map it with -ffile-prefix-map in GUEST_CPPFLAGS" >&2; rm -f $@; exit 1; \
		fi; \
	done

FORCE:
.PHONY: guest FORCE
