# Every target does all its own set-up: `make demo` on a fresh machine is enough.
#
#   make demo                                   what Graft is for, in half a minute and without a network: Scripts/demo
#   make tutorial [IMAGES=folder WEIGHTS=file.h5]
#                                               the published cats and dogs with InceptionV3: Scripts/tutorial
#   make test                                   all Swift tests
#   make build                                  the command, in .build/release/graft
#   make serve                                  graft-serve beside it, which graft serve and graft studio run
#   make format | make lint                     write, or check, the layout of all Swift files
#   make check                                  everything that has to hold: the same as `bash .ci/run`
#   make check-all                              what takes too long for that: Scripts/check-all says what, and when it was done
#   make benchmark [SECTIONS="trunk head"] [OPTIONS=--quick]
#                                               Graft and its rivals at the same work: writes Benchmarks/RESULTS.md

SWIFT ?= swift
# The environment of the benchmark's rivals: gigabytes, so it may stand elsewhere.
RIVALS ?= .venv-rivals
SWIFT_FOLDERS := Package.swift Sources Tests $(wildcard Examples Benchmarks Serve)

# Homebrew's oneDNN has no pkg-config file, so compiler and linker are told where it is.
ifeq ($(shell uname -s),Darwin)
    BREW := $(shell brew --prefix 2>/dev/null)
    export CPATH := $(BREW)/include:$(CPATH)
    export LIBRARY_PATH := $(BREW)/lib:$(LIBRARY_PATH)
endif

.PHONY: demo tutorial build serve test format lint check check-all benchmark libraries

demo: build
	@Scripts/demo

tutorial: build
	Scripts/tutorial "$(IMAGES)" "$(WEIGHTS)"

build: libraries
	$(SWIFT) build -c release --product graft

# A package of its own, in the same folder, so that Graft is not built twice.
serve: build
	$(SWIFT) build -c release --package-path Serve --scratch-path "$(CURDIR)/.build" --product graft-serve

test: libraries
	$(SWIFT) test

format:
	$(SWIFT) format --in-place --recursive $(SWIFT_FOLDERS)

lint:
	$(SWIFT) format lint --strict --recursive $(SWIFT_FOLDERS)
	Scripts/check-links

check:
	.ci/run

check-all: libraries
	Scripts/check-all

benchmark: build
	$(SWIFT) build -c release --product GraftMeasure
	python=$$(Scripts/python-environment Benchmarks/requirements.txt $(RIVALS)) && \
	    $$python Benchmarks/benchmark.py --sections $(SECTIONS) $(OPTIONS)

libraries:
	@Scripts/install-libraries
