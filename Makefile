# Every target does all its own set-up: `make demo` on a fresh machine is enough.
#
#   make demo [IMAGES=folder WEIGHTS=file.h5]   train, evaluate and predict: see Scripts/demo
#   make test                                   all Swift tests
#   make build                                  the command, in .build/release/graft
#   make format | make lint                     write, or check, the layout of all Swift files
#   make check                                  everything that has to hold: the same as `bash .ci/run`
#   make benchmark [SECTIONS="trunk head"] [OPTIONS=--quick]
#                                               Graft and its rivals at the same work: writes Benchmarks/RESULTS.md

SWIFT ?= swift
# The environment of the benchmark's rivals: gigabytes, so it may stand elsewhere.
RIVALS ?= .venv-rivals
SWIFT_FOLDERS := Package.swift Sources Tests $(wildcard Examples Benchmarks)

# Homebrew's oneDNN has no pkg-config file, so compiler and linker are told where it is.
ifeq ($(shell uname -s),Darwin)
    BREW := $(shell brew --prefix 2>/dev/null)
    export CPATH := $(BREW)/include:$(CPATH)
    export LIBRARY_PATH := $(BREW)/lib:$(LIBRARY_PATH)
endif

.PHONY: demo build test format lint check benchmark libraries

demo: build
	Scripts/demo "$(IMAGES)" "$(WEIGHTS)"

build: libraries
	$(SWIFT) build -c release --product graft

test: libraries
	$(SWIFT) test

format:
	$(SWIFT) format --in-place --recursive $(SWIFT_FOLDERS)

lint:
	$(SWIFT) format lint --strict --recursive $(SWIFT_FOLDERS)
	Scripts/check-links

check:
	.ci/run

benchmark: build
	$(SWIFT) build -c release --product GraftMeasure
	python=$$(Scripts/python-environment Benchmarks/requirements.txt $(RIVALS)) && \
	    $$python Benchmarks/benchmark.py --sections $(SECTIONS) $(OPTIONS)

libraries:
	@Scripts/install-libraries
